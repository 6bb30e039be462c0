// A plan: first what it would do, then, if wanted and allowed, doing it, and taking it back.

import { read, send } from "./api.js";
import { button, make, named, shown } from "./dom.js";
import * as live from "./live.js";
import { failure, openDialog, say, tell } from "./messages.js";
import { bytes, count, moment } from "./wording.js";

const MOST_LINES = 300;
const WORDS = { trash: "to the trash", link: "becomes a link", none: "stays" };

/** Make a plan of choices and show what it would do; `done` is called when something was done. */
export async function review(body, done) {
  let plan;
  try {
    plan = await send("/api/copies/plan", body);
  } catch (error) {
    tell(error.message, { isWrong: true });
    return;
  }
  const mayTrash = live.status()?.may_trash;
  const files = make("ul", { class: "plan-files" });
  const stays = plan.files.filter((file) => file.action === "none");
  const leaving = plan.files.filter((file) => file.action !== "none");
  const lossesFirst = [...leaving.filter((file) => file.loss_accepted), ...leaving.filter((file) => !file.loss_accepted)];
  for (const file of [...lossesFirst, ...stays].slice(0, MOST_LINES)) {
    files.append(make("li", { class: `is-${file.action}` }, named("span", `${file.folder}/${file.name}`), make("span", { class: "small soft", text: `${WORDS[file.action] ?? file.action} · ${file.verdict} · ${bytes(file.size_bytes)}${(file.action === "none" || file.loss_accepted) && file.reason ? ` · ${shown(file.reason)}` : ""}` })));
  }
  const room = make("div", { class: "plan-room" },
    make("p", { class: "plan-sum" }, make("strong", { text: count(plan.steps, "photo") }), ` to the trash, ${bytes(plan.bytes)} in all.`,
      stays.length ? ` ${count(stays.length, "file")} of what was chosen ${stays.length === 1 ? "stays" : "stay"}, with the reason below.` : ""),
    make("p", { class: "soft", text: "Nothing has happened yet. Each file is read again and checked just before it is moved, nothing is deleted for good, and all of it can be taken back." }),
    files, plan.files.length > MOST_LINES ? make("p", { class: "soft", text: `And ${count(plan.files.length - MOST_LINES, "file")} more; the plan as a file has all.` }) : null);
  const foot = make("div", { class: "dialog-foot" });
  const dialog = openDialog("plan", "The plan", room, foot);
  const closing = button("Change nothing", () => dialog.close());
  foot.append(button("Save as a file", () => save(plan.document)), closing);
  if (mayTrash && plan.steps) {
    const going = button(`Move ${count(plan.steps, "photo")} to the trash`, async () => {
      going.disabled = true;
      closing.disabled = true;
      say("Moving …");
      try {
        const report = await send(`/api/copies/plan/${plan.plan}/apply`);
        showReport(dialog, room, foot, report, done);
      } catch (error) {
        closing.disabled = false;
        going.disabled = false;
        room.prepend(failure(error));
      }
    }, { name: "danger", shape: "trash" });
    foot.append(going);
  } else if (plan.steps) {
    room.append(make("p", { class: "notice" }, live.status()?.is_read_only ? "The index is read-only here, so nothing can be moved from this page. " : "This page may not move files. ",
      "Save the plan and run ", make("code", { text: "mobisearch apply PLAN --yes" }), live.status()?.is_read_only ? "." : ", or start the page with --allow-trash."));
  }
  closing.focus();
}

function showReport(dialog, room, foot, report, done) {
  const wrong = report.outcomes.filter((outcome) => !["done", "none"].includes(outcome.state));
  const list = make("ul", { class: "plan-files" });
  for (const outcome of wrong) list.append(make("li", {}, named("span", `${outcome.folder}/${outcome.name}`), make("span", { class: "small soft", text: `${outcome.state}${outcome.reason ? `: ${shown(outcome.reason)}` : ""}` })));
  const words = `${count(report.done, "photo")} moved to the trash, ${bytes(report.freed_bytes)}.`;
  room.replaceChildren(make("p", { class: "plan-sum", text: words }), ...(wrong.length ? [make("p", { text: `${count(wrong.length, "file")} could not be moved and ${wrong.length === 1 ? "is" : "are"} where ${wrong.length === 1 ? "it was" : "they were"}:` }), list] : []));
  const closing = button("Done", () => dialog.close(), { name: "primary" });
  foot.replaceChildren(button("Take it back", () => undo(report.plan, done).then((isDone) => isDone && dialog.close()), { shape: "left" }), closing);
  closing.focus();
  say(words);
  done(report);
}

/** Take back a plan; returns whether that went well. */
async function undo(plan, done) {
  try {
    const report = await send(`/api/copies/plan/${plan}/undo`);
    const wrong = report.failed + report.refused;
    tell(`${count(report.outcomes.length - wrong, "photo")} brought back.${wrong ? ` ${count(wrong, "file")} could not be: ${shown(report.outcomes.find((one) => one.reason)?.reason ?? "")}` : ""}`, { isWrong: wrong > 0 });
    done(report);
    return true;
  } catch (error) {
    tell(error.message, { isWrong: true });
    return false;
  }
}

/** Save a plan as the file that the command takes. */
function save(document_) {
  const file = new Blob([JSON.stringify(document_, null, 1), "\n"], { type: "application/json" });
  const link = make("a", { href: URL.createObjectURL(file), download: "mobisearch-plan.json" });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

/** Return the list of plans that were carried out, each with the way back; null if there are none. */
export async function makeHistory(done, signal) {
  const { plans } = await read("/api/copies/plans", { signal });
  if (!plans.length) return null;
  const list = make("ul", { class: "plans" }), mayTrash = live.status()?.may_trash;
  for (const plan of plans) {
    const parts = [plan.done && `${count(plan.done, "file")} moved`, plan.undone && `${count(plan.undone, "file")} brought back`, plan.failed && `${count(plan.failed, "file")} failed`].filter(Boolean);
    const back = button("Take it back", async () => { back.disabled = !(await undo(plan.plan, done)) ? false : true; }, { shape: "left", disabled: !plan.done || !mayTrash, title: mayTrash ? "" : "Needs --allow-trash, or use mobisearch undo" });
    list.append(make("li", {}, make("span", {}, make("strong", { text: moment(plan.changed_at) }), make("span", { class: "soft", text: ` · ${parts.join(", ") || "nothing was moved"}` })), plan.done ? back : null));
  }
  return make("section", { class: "history", "aria-label": "What was cleared away" }, make("h2", { text: "What was cleared away" }), list);
}
