/** Bundles each framework's page by Vite, for browsers and for a server: into `built/NAME` and `built/NAME.server`. */
import { svelte } from "@sveltejs/vite-plugin-svelte";
import vue from "@vitejs/plugin-vue";
import { build } from "vite";

const ENTRIES = { react: "react.jsx", vue: "vue.js", svelte: "svelte.js" };
const common = {
  configFile: false,
  logLevel: "warn",
  plugins: [vue(), svelte()],
  define: { "process.env.NODE_ENV": '"development"' }, // which says what StrictMode and hydration find wrong
  mode: "development",
};

for (const [name, entry] of Object.entries(ENTRIES)) {
  await build({
    ...common,
    base: `/built/${name}/`,
    build: {
      outDir: `built/${name}`,
      minify: false,
      modulePreload: { polyfill: false },
      rollupOptions: { input: entry, output: { entryFileNames: "page.js" } },
    },
  });
  await build({
    ...common,
    build: { outDir: `built/${name}.server`, ssr: entry.replace(".", ".server."), minify: false },
    ssr: { noExternal: true },
  });
}
