// What stands around every page: where one can go, how true the numbers are, who is signed in.

import { clock } from "../base/format.js";
import { classes, html } from "../base/html.js";
import { addressOf, PAGES, titleOf } from "../base/routes.js";
import { THEMES } from "../base/theme.js";
import { Icon, Text } from "../parts/text.js";
import { screens } from "./all.js";
import { Help } from "./help.js";
import { Heading } from "./level.js";
import { SignIn } from "./sign_in.js";

/** @typedef {{app: import("../base/app.js").App}} Props */

/** @param {Props} props */
export function Shell({ app }) {
  const { session, route, condition } = app;
  if (!session) return html`<main id="main" class="sign-in"><p class="panel empty"
    role="status">${app.away ? `${app.away}: tried again every second` : "Connecting …"}</p></main>`;
  if (!session.signed_in) return html`<${SignIn} app=${app} />`;
  const wall = Boolean(route.args.wall);
  return html`
    <a class="skip" href="#main">Skip to the content</a>
    ${wall ? null : html`<${Top} app=${app} />`}
    <main id="main" class=${classes("page", route.page, wall && "walled", condition.old && "old")} tabindex="-1">
      <div class="title">
        <h1 id="title" tabindex="-1">${route.page === "level" ? html`<${Heading} args=${route.args}
          name=${app.data?.name} />` : titleOf(route)}</h1>
        <${Badge} app=${app} />
        ${wall && html`<a class="button" href=${addressOf("launch")}><${Icon} name="close" /> Leave the wall</a>`}
        ${route.page === "launch" && !wall && html`<a class="button"
          href=${addressOf("launch", { wall: "1" })}><${Icon} name="wall" /> Wall</a>`}
      </div>
      ${app.notice && html`<p class=${classes("notice", app.notice.tone)}
        role="status">${clock(app.notice.at_ms)} <${Text} of=${app.notice.text} /></p>`}
      <${Content} app=${app} />
    </main>
    ${app.help && html`<${Help} app=${app} />`}`;
}

/** @param {Props} props */
function Content({ app }) {
  if (app.error) return html`<p class="notice bad" role="alert"><b>${app.error.type}</b> <${Text}
    of=${app.error.detail} /></p>`;
  if (!app.data) return html`<p class="empty waits" role="status">${app.live.link.reason
    ? `Nothing to show yet: ${app.live.link.reason}.` : "Asking the console …"}</p>`;
  const Screen = screens[app.route.page];
  return html`<${Screen} app=${app} data=${app.data} />`;
}

/** @param {Props} props */
function Top({ app }) {
  const { page } = app.route;
  const next = THEMES[(THEMES.indexOf(app.theme) + 1) % THEMES.length] ?? "system";
  return html`
    <header class="top">
      <a class="brand" href=${addressOf("launch")}><img src="/favicon.svg" alt="" width="22"
        height="22" /> Stockwire</a>
      <nav aria-label="Pages">
        <ul>${PAGES.map((one) => html`
          <li key=${one.page}><a href=${addressOf(one.page)}
            aria-current=${one.page === page || (one.page === "stock" && page === "level") ? "page"
              : undefined}><${Icon} name=${one.page} />${one.title}</a></li>`)}</ul>
      </nav>
      <div class="tools">
        <button type="button" class="plain" onClick=${() => app.setTheme(next)}
          title=${`Theme: ${app.theme}. Next: ${next}`}><${Icon} name=${app.theme} /><span
            class="unseen">Theme: ${app.theme}, change to ${next}</span></button>
        <button type="button" class="plain" onClick=${() => app.setHelp(true)} title="Keyboard shortcuts (?)"><${Icon}
          name="keys" /><span class="unseen">Keyboard shortcuts</span></button>
        <span class="who" title=${app.session?.may_act ? "may act" : "may look"}><${Text}
          of=${app.session?.owner ?? ""} /></span>
        <button type="button" class="plain" onClick=${() => app.signOut()} title="Sign out"><${Icon}
          name="out" /><span class="unseen">Sign out</span></button>
      </div>
    </header>`;
}

/** @param {Props} props */
function Badge({ app }) {
  const { word, text } = app.condition;
  return html`<p class=${classes("badge", word)} role="status"><span class="dot" aria-hidden="true"></span>${text}</p>`;
}
