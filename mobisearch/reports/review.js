"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const PER_PAGE = 20;
  const WORDS = { keep: "kept", trash: "to the trash", link: "becomes a link", none: "stays" };
  const removal = (member, kept) => data.removal === "link" && member.sha256 === kept.sha256 ? "link" : "trash";
  const find = (id) => document.getElementById(id);
  const make = (tag, name, text) => {
    const made = document.createElement(tag);
    if (name) made.className = name;
    if (text !== undefined) made.textContent = text;
    return made;
  };
  const size = (n) => {
    for (const unit of ["bytes", "kB", "MB", "GB"]) {
      if (n < 1000) return unit === "bytes" ? `${n} bytes` : `${n.toFixed(1)} ${unit}`;
      n /= 1000;
    }
    return `${n.toFixed(1)} TB`;
  };

  // ---- what is to be done: one state for each group, as drafted until somebody changes it

  const drafted = (group) => ({
    keep: 0,
    actions: group.members.map((member) => member.action),
    decision: "",
  });
  const states = data.groups.map(drafted);
  const isChanged = (n) => JSON.stringify(states[n]) !== JSON.stringify(drafted(data.groups[n]));
  const isMoved = (n, m) => !states[n].decision && ["trash", "link"].includes(actionOf(n, m));
  const actionOf = (n, m) => {
    const state = states[n];
    if (state.decision) return "none";
    return m === state.keep ? "keep" : state.actions[m];
  };
  const gain = (n) => data.groups[n].members
    .reduce((sum, member, m) => sum + (isMoved(n, m) ? member.bytes : 0), 0);

  const set = (n, m, action) => {
    const state = states[n], members = data.groups[n].members;
    state.decision = "";
    if (action === "keep") {
      if (state.keep !== m) {
        const old = members[state.keep];
        state.actions[state.keep] = old.protected ? "none" : removal(old, members[m]);
        state.keep = m;
        members.forEach((member, o) => {
          if (o !== m && state.actions[o] === "link" && member.sha256 !== members[m].sha256) state.actions[o] = "trash";
        });
      }
    } else if (m !== state.keep) {
      state.actions[m] = action === "trash" && !members[m].protected ? removal(members[m], members[state.keep]) : "none";
    }
    isSaved = false;
    refresh(n);
  };
  const decide = (n, kind) => {
    states[n].decision = states[n].decision === kind ? "" : kind;
    isSaved = false;
    refresh(n);
  };
  const reset = (n) => { states[n] = drafted(data.groups[n]); refresh(n); };

  // ---- pages

  let shown = [], page = 0, current = { n: -1, m: 0 }, isSaved = true, withDifference = false;

  const choose = () => {
    const wanted = find("filter").value, part = find("find").value.trim().toLowerCase();
    shown = data.groups.map((_, n) => n).filter((n) => {
      const members = data.groups[n].members;
      const fits = !wanted || (wanted === "*" ? isChanged(n) : members.some((member) => member.verdict === wanted));
      return fits && (!part || members.some((member) => member.path.toLowerCase().includes(part)));
    });
    page = 0;
    current = { n: shown.length ? shown[0] : -1, m: 0 };
    draw();
  };
  const pages = () => Math.max(1, Math.ceil(shown.length / PER_PAGE));
  const turn = (by) => {
    const to = Math.min(pages() - 1, Math.max(0, page + by));
    if (to === page) return;
    page = to;
    current = { n: shown[page * PER_PAGE], m: 0 };
    draw();
    window.scrollTo(0, 0);
  };
  const drawPager = () => {
    for (const pager of document.querySelectorAll(".pager")) {
      pager.replaceChildren();
      if (pages() < 2) continue;
      const back = make("button", "", "Previous"), next = make("button", "", "Next");
      back.type = next.type = "button";
      back.disabled = page === 0;
      next.disabled = page === pages() - 1;
      back.addEventListener("click", () => turn(-1));
      next.addEventListener("click", () => turn(1));
      pager.append(back, make("span", "", `page ${page + 1} of ${pages()}`), next);
    }
  };
  const draw = () => {
    const holder = find("groups");
    holder.replaceChildren(...shown.slice(page * PER_PAGE, (page + 1) * PER_PAGE).map(drawGroup));
    if (!shown.length) holder.append(make("p", "empty", "No group fits what you are looking for."));
    drawPager();
    tell();
  };
  const tell = () => {
    let trash = 0, bytes = 0, changed = 0;
    data.groups.forEach((group, n) => {
      bytes += gain(n);
      trash += group.members.filter((_, m) => isMoved(n, m)).length;
      changed += isChanged(n) ? 1 : 0;
    });
    find("n-groups").textContent = data.groups.length.toLocaleString("en");
    find("n-trash").textContent = trash.toLocaleString("en");
    find("n-bytes").textContent = size(bytes);
    find("n-changed").textContent = changed.toLocaleString("en");
  };
  const refresh = (n) => {
    const old = find(`group-${n}`);
    if (old) {
      const held = document.activeElement && old.contains(document.activeElement) ? document.activeElement.dataset.key : null;
      const made = drawGroup(n);
      old.replaceWith(made);
      if (held) made.querySelector(`[data-key="${held}"]`)?.focus({ preventScroll: true });
    }
    tell();
  };

  // ---- a group

  const button = (key, name, text, isOn, act) => {
    const made = make("button", name, text);
    made.type = "button";
    made.dataset.key = key;
    if (isOn !== null) made.setAttribute("aria-pressed", String(isOn));
    made.addEventListener("click", act);
    return made;
  };
  const drawGroup = (n) => {
    const group = data.groups[n], state = states[n];
    const section = make("section", n === current.n ? "group current" : "group");
    section.id = `group-${n}`;
    section.setAttribute("aria-labelledby", `title-${n}`);
    const head = make("div", "head"), title = make("h2", "", `Group ${n + 1}`);
    title.id = `title-${n}`;
    const whole = make("div", "whole");
    whole.append(
      button("different", "", "Not duplicates", state.decision === "different", () => decide(n, "different")),
      button("all", "", "Keep all", state.decision === "keep", () => decide(n, "keep")),
      button("reset", "", "Reset", null, () => reset(n)));
    whole.lastChild.disabled = !isChanged(n);
    head.append(title, make("span", "gain", `${group.members.length} pictures, ${size(gain(n))} to be freed`), whole);
    const pictures = make("div", "pictures");
    group.members.forEach((_, m) => pictures.append(drawPicture(n, m)));
    section.append(head, pictures);
    section.addEventListener("focusin", () => mark(n));
    return section;
  };
  const mark = (n) => {
    if (current.n !== n) current = { n, m: 0 };
    for (const other of document.querySelectorAll(".group.current")) other.classList.remove("current");
    find(`group-${n}`)?.classList.add("current");
  };
  const drawPicture = (n, m) => {
    const member = data.groups[n].members[m], action = actionOf(n, m);
    const figure = make("figure", action);
    figure.tabIndex = n === current.n && m === current.m ? 0 : -1;
    figure.dataset.key = `picture-${m}`;
    figure.setAttribute("aria-label", `${member.name}: ${WORDS[action]}`);
    figure.addEventListener("focus", () => { current = { n, m }; mark(n); });
    const frame = make("div", "frame");
    if (member.thumbnail) {
      const picture = make("img");
      picture.alt = "";
      picture.decoding = "async";
      picture.src = `data:image/jpeg;base64,${member.thumbnail}`;
      frame.append(picture);
      if (withDifference && m !== states[n].keep) difference(n, m, frame);
    } else frame.append(make("span", "none", member.note || "no preview"));
    frame.append(make("span", `state ${action}`, WORDS[action]));
    const caption = make("figcaption");
    caption.append(make("span", "name", member.name), make("span", "folder", member.folder),
      make("span", "facts", member.facts));
    const words = m === 0 ? "kept by the rules" : member.verdict;
    caption.append(make("span", "verdict", words + (m === 0 ? "" : ` · ${member.score.toFixed(3)}`)));
    if (member.reason) caption.append(make("span", "reason", member.reason));
    for (const line of member.companions) caption.append(make("span", "facts", line));
    const choices = make("div", "choices");
    choices.append(button(`keep-${m}`, "keep", "Keep", action === "keep", () => set(n, m, "keep")));
    if (!member.protected) {
      const kind = states[n].actions[m] === "link" ? "link" : "trash";
      choices.append(button(`trash-${m}`, kind, kind === "link" ? "Link" : "Trash", ["trash", "link"].includes(action), () => set(n, m, "trash")));
    }
    choices.append(button(`none-${m}`, "none", "Leave", action === "none", () => set(n, m, "none")));
    caption.append(choices);
    figure.append(frame, caption);
    return figure;
  };

  // ---- difference: both pictures drawn in the same size, as far apart as their values are

  const load = (member) => new Promise((resolve, reject) => {
    const picture = new Image();
    picture.onload = () => resolve(picture);
    picture.onerror = reject;
    picture.src = `data:image/jpeg;base64,${member.thumbnail}`;
  });
  const pixels = (picture, width, height, quarters, isMirrored) => {
    const canvas = make("canvas");
    canvas.width = width;
    canvas.height = height;
    const pen = canvas.getContext("2d", { willReadFrequently: true });
    pen.translate(width / 2, height / 2);
    if (isMirrored) pen.scale(-1, 1);
    pen.rotate(-quarters * Math.PI / 2);
    const [w, h] = quarters % 2 ? [height, width] : [width, height];
    pen.drawImage(picture, -w / 2, -h / 2, w, h);
    return pen.getImageData(0, 0, width, height);
  };
  const difference = async (n, m, frame) => {
    const kept = data.groups[n].members[states[n].keep], member = data.groups[n].members[m];
    const say = (text) => frame.append(make("span", "difference", text));
    if (!kept.thumbnail) return say("no difference: no preview");
    if (states[n].keep !== 0 && (member.turn || kept.turn || member.mirrored || kept.mirrored)) return say("no difference: turned");
    if (member.turn % 90 !== 0) return say("no difference: turned");
    if (member.verdict === "cropped") return say("no difference: cropped");
    const [one, other] = await Promise.all([load(kept), load(member)]);
    const width = one.naturalWidth, height = one.naturalHeight;
    const first = pixels(one, width, height, 0, false);
    const second = pixels(other, width, height, ((member.turn / 90) % 4 + 4) % 4, member.mirrored);
    let sum = 0;
    for (let i = 0; i < first.data.length; i += 4) {
      for (let c = 0; c < 3; c++) {
        const apart = Math.abs(first.data[i + c] - second.data[i + c]);
        sum += apart;
        first.data[i + c] = Math.min(255, apart * 4);
      }
    }
    const canvas = make("canvas");
    canvas.width = width;
    canvas.height = height;
    canvas.getContext("2d").putImageData(first, 0, 0);
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", "difference to the picture that is kept, four times as strong");
    frame.querySelector("img")?.replaceWith(canvas);
    say(`difference ×4, ${(sum / (width * height * 3 * 2.55)).toFixed(1)} % apart`);
  };

  // ---- the plan

  const fileFields = (entry) => {
    const { path, path_b64, sha256, size_bytes, mtime_ns } = entry;
    return path_b64 === undefined ? { path, sha256, size_bytes, mtime_ns } : { path, path_b64, sha256, size_bytes, mtime_ns };
  };
  // Of the one that the plan keeps, it says what is lost with each; who marks one then accepts that.
  const isLossAccepted = (n, m, entry) => {
    if (states[n].keep !== 0) return false;
    const isMarked = data.groups[n].members[m].action === "none" && actionOf(n, m) === "trash";
    return isMarked || Boolean(entry.loss_accepted);
  };
  const planned = () => ({
    ...data.plan,
    groups: data.plan.groups.map((group, n) => {
      const state = states[n], images = group.files.filter((file) => file.companion_of === undefined);
      const members = [group.keep, ...images];
      const kept = members[state.keep];
      const entries = members.map((entry, m) => m === state.keep ? null : {
        step: m === 0 ? kept.step : entry.step,
        action: actionOf(n, m),
        ...fileFields(entry),
        verdict: m === 0 ? kept.verdict : entry.verdict,
        score: m === 0 ? kept.score : entry.score,
        reason: entry.reason,
        ...(isLossAccepted(n, m, entry) ? { loss_accepted: true } : {}),
      }).filter(Boolean);
      const moved = new Map(entries.map((entry) => [entry.step, entry.action === "trash"]));
      for (const file of group.files) {
        if (file.companion_of === undefined || file.companion_of === kept.step) continue;
        entries.push({ ...file, action: moved.get(file.companion_of) && file.action === "trash" ? "trash" : "none" });
      }
      const made = { keep: { ...fileFields(kept), reason: kept.reason || "" }, files: entries };
      return state.decision ? { ...made, decision: state.decision } : made;
    }),
  });
  const save = () => {
    const blob = new Blob([exact(JSON.stringify(planned(), null, 1)), "\n"], { type: "application/json" });
    const link = make("a");
    link.href = URL.createObjectURL(blob);
    link.download = data.file_name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
    isSaved = true;
  };
  // Times are larger than a number of JavaScript can be exact about: they travel as text here.
  const exact = (text) => text.replace(/"mtime_ns": "(-?\d+)"/g, '"mtime_ns": $1');

  const compare = () => {
    withDifference = !withDifference;
    find("difference").setAttribute("aria-pressed", String(withDifference));
    draw();
  };

  // ---- keys

  const go = (n, m) => {
    const place = shown.indexOf(n);
    if (place < 0) return;
    if (Math.floor(place / PER_PAGE) !== page) { page = Math.floor(place / PER_PAGE); draw(); }
    const figure = find(`group-${n}`).querySelectorAll("figure")[m];
    figure.focus();
    figure.scrollIntoView({ block: "nearest" });
  };
  const step = (by) => {
    const place = Math.min(shown.length - 1, Math.max(0, shown.indexOf(current.n) + by));
    go(shown[place], 0);
  };
  const keys = {
    ArrowDown: () => step(1), ArrowUp: () => step(-1),
    ArrowRight: () => go(current.n, Math.min(data.groups[current.n].members.length - 1, current.m + 1)),
    ArrowLeft: () => go(current.n, Math.max(0, current.m - 1)),
    k: () => set(current.n, current.m, "keep"), t: () => set(current.n, current.m, "trash"),
    l: () => set(current.n, current.m, "none"), n: () => decide(current.n, "different"),
    a: () => decide(current.n, "keep"), u: () => reset(current.n),
    d: () => { const held = { ...current }; compare(); go(held.n, held.m); },
    "[": () => turn(-1), "]": () => turn(1), s: save, "?": () => find("help").showModal(),
  };
  document.addEventListener("keydown", (event) => {
    const isTyping = event.target.closest("input, select, dialog");
    if (isTyping || event.ctrlKey || event.metaKey || event.altKey || current.n < 0) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (!Object.hasOwn(keys, key)) return;
    event.preventDefault();
    keys[key]();
  });

  const verdicts = new Set(data.groups.flatMap((group) => group.members.slice(1).map((member) => member.verdict)));
  for (const verdict of [...verdicts].sort()) find("filter").append(new Option(verdict, verdict));
  find("filter").append(new Option("changed by you", "*"));
  find("filter").addEventListener("change", choose);
  find("find").addEventListener("input", choose);
  find("export").addEventListener("click", save);
  find("difference").addEventListener("click", compare);
  find("help-button").addEventListener("click", () => find("help").showModal());
  find("help-close").addEventListener("click", () => find("help").close());
  window.addEventListener("beforeunload", (event) => { if (!isSaved) event.preventDefault(); });
  choose();
})();
