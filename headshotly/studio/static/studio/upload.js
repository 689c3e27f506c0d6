// Uploads photos one by one, so that each gets its progress and its answer. Without this script the form still works.
"use strict";
(() => {
  const form = document.getElementById("drop");
  const input = document.getElementById("photos");
  const verdicts = document.getElementById("verdicts");
  const list = document.getElementById("photo-list");
  const token = form.querySelector("[name=csrfmiddlewaretoken]").value;
  const most = Number(form.dataset.most);
  document.getElementById("send").hidden = true;
  form.classList.add("drop--live");

  const start = document.getElementById("start");
  const sum = document.getElementById("sum");
  const left = document.getElementById("left"); // how many are paid for; absent where nobody counts
  const count = (name) => start.querySelectorAll(`[name="${name}"]:checked`).length;
  const say = (what, facts = {}) => form.dataset[`say${what}`].replace(/\{(\w+)\}/g, (_, name) => facts[name]);
  // Each form of a noun stands behind its plural category (CLDR): one:photo|other:photos
  const plural = new Intl.PluralRules(document.documentElement.lang);
  const many = (number, what) => {
    const forms = Object.fromEntries(say(what).split("|").map((form) => form.split(":")));
    return `${number} ${forms[plural.select(number)] || forms.other}`;
  };
  const addUp = () => {
    const photos = count("photo_ids");
    const styles = count("styles");
    sum.hidden = false;
    if (!photos) sum.textContent = say("NoPhoto");
    else if (!styles) sum.textContent = say("NoStyle");
    else sum.textContent = `${many(photos, "Photos")} × ${many(styles, "Styles")} = ${many(photos * styles, "Headshots")}`;
    if (left) left.classList.toggle("bar__left--few", photos * styles > Number(left.dataset.left));
  };
  start.addEventListener("change", addUp);
  addUp();

  const colour = document.getElementById("brand_colour");
  colour.addEventListener("input", () => {
    start.querySelector("[data-brand]").setAttribute("fill", colour.value);
    start.querySelector('[value="brand"]').checked = true;
    addUp();
  });

  const element = (tag, className, text) => {
    const made = document.createElement(tag);
    if (className) made.className = className;
    if (text) made.textContent = text;
    return made;
  };

  const card = (file) => {
    const tile = element("div", "tile");
    const body = element("div", "tile__body");
    const bar = element("progress", "progress");
    bar.max = 100;
    bar.setAttribute("aria-label", say("UploadOf", file));
    const words = element("p", "", say("Uploading"));
    body.append(element("p", "tile__name", file.name), bar, words);
    tile.append(body);
    verdicts.append(tile);
    return { tile, body, bar, words };
  };

  const addPhoto = (answer) => {
    document.getElementById("no-photos").hidden = true;
    const tile = element("li", "tile");
    const label = element("label", "choice");
    const tick = element("input");
    tick.type = "checkbox";
    tick.name = "photo_ids";
    tick.value = answer.photo_id;
    tick.checked = true;
    const picture = element("img", "tile__picture");
    picture.src = answer.preview_url;
    picture.alt = "";
    label.append(tick, element("span", "visually-hidden", say("Use", answer)), picture);
    const body = element("div", "tile__body");
    body.append(element("p", "", answer.sentence));
    if (answer.advice) body.append(element("p", "field__hint", answer.advice));
    const remove = element("button", "button button--bare button--small", say("Delete"));
    remove.type = "submit";
    remove.setAttribute("formaction", answer.delete_url);
    remove.setAttribute("aria-label", say("DeleteOne", answer));
    body.append(remove);
    tile.append(label, body);
    list.prepend(tile);
    addUp();
  };

  const show = (shown, answer) => {
    shown.bar.remove();
    shown.words.textContent = answer.sentence;
    shown.words.className = answer.accepted ? "notice notice--good" : "notice notice--bad";
    if (answer.advice) shown.body.append(element("p", "field__hint", answer.advice));
    for (const finding of (answer.findings || []).slice(1)) shown.body.append(element("p", "field__hint", `${finding.sentence} ${finding.advice}`));
    if (answer.seen) {
      const seen = element("img");
      seen.src = answer.seen;
      seen.alt = say("Seen");
      const frame = element("div", "mat mat--seen");
      frame.append(seen);
      shown.tile.prepend(frame);
    }
    if (!answer.accepted) shown.tile.classList.add("tile--bad");
    if (answer.photo_id) addPhoto(answer);
  };

  const send = (file) => new Promise((resolve) => {
    const shown = card(file);
    const data = new FormData();
    data.append("photos", file, file.name);
    const request = new XMLHttpRequest();
    request.open("POST", form.action);
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("X-CSRFToken", token);
    request.upload.addEventListener("progress", (event) => {
      shown.bar.value = event.lengthComputable ? (100 * event.loaded) / event.total : 0;
      if (event.loaded === event.total) shown.words.textContent = say("Looking");
    });
    request.addEventListener("load", () => {
      let answer;
      try { answer = JSON.parse(request.responseText); } catch { answer = null; }
      if (Array.isArray(answer)) answer = answer[0];
      show(shown, answer && answer.sentence ? answer : { accepted: false, sentence: say("Unreadable") });
      resolve();
    });
    request.addEventListener("error", () => {
      show(shown, { accepted: false, sentence: say("BrokeOff") });
      resolve();
    });
    request.send(data);
  });

  const sendAll = async (files) => {
    verdicts.replaceChildren();
    const chosen = [...files];
    if (chosen.length > most) {
      verdicts.append(element("p", "notice notice--bad", say("TooMany", { most })));
    }
    for (const file of chosen.slice(0, most)) await send(file);
    input.value = "";
  };

  input.addEventListener("change", () => sendAll(input.files));
  form.addEventListener("submit", (event) => { event.preventDefault(); sendAll(input.files); });
  for (const kind of ["dragenter", "dragover"]) form.addEventListener(kind, (event) => { event.preventDefault(); form.classList.add("drop--over"); });
  for (const kind of ["dragleave", "drop"]) form.addEventListener(kind, () => form.classList.remove("drop--over"));
  form.addEventListener("drop", (event) => { event.preventDefault(); sendAll(event.dataTransfer.files); });
})();
