// Custom resources (a JSON array on standard input) against the schemas that their projects publish, as @kubernetes-models has
// them: node custom_resources.mjs FOLDER-WITH-NODE-MODULES. Prints a line for each thing that is wrong.
//
// A schema alone lets fields pass that it does not know. What it never looks at while it judges is such a field.
import {readFileSync} from "node:fs";

const PACKAGES = {
  "argoproj.io": "argo-rollouts",
  "gateway.networking.k8s.io": "gateway-api",
  "monitoring.coreos.com": "prometheus-operator",
  "keda.sh": "keda",
};

// What a schema takes as it is: each plugin of Argo has a configuration of its own.
const OPEN = [".spec.strategy.canary.trafficRouting.plugins."];

function watched(value, path, seen) {
  if (typeof value !== "object" || value === null) return value;
  return new Proxy(value, {
    get(target, key) {
      if (!Object.hasOwn(target, key) || typeof key === "symbol") return target[key];
      seen.add(`${path}.${key}`);
      return watched(target[key], `${path}.${key}`, seen);
    },
  });
}

function paths(value, path) {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, child]) => [`${path}.${key}`, ...paths(child, `${path}.${key}`)]);
}

for (const resource of JSON.parse(readFileSync(0, "utf8"))) {
  const {apiVersion, kind, metadata} = resource;
  const [group] = apiVersion.split("/");
  const file = `${process.argv[2]}/node_modules/@kubernetes-models/${PACKAGES[group]}/${apiVersion}/index.js`;
  const model = (await import(file))[kind];
  const seen = new Set();
  try {
    model.prototype.validate.call(watched(resource, kind, seen)); // a new model would hold a copy
  } catch (error) {
    console.log(`${kind} ${metadata.name}: ${error.message}`);
  }
  for (const path of paths(resource, kind)) {
    if (!seen.has(path) && !OPEN.some((open) => path.startsWith(`${kind}${open}`))) console.log(`${kind} ${metadata.name}: ${path} is unknown`);
  }
}
