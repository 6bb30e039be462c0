// Pictures that somebody drops, pastes or chooses.

import { upload } from "./api.js";
import { say, tell } from "./messages.js";
import { count } from "./wording.js";

const MOST = 8;
const MOST_BYTES = 64 * 1024 * 1024;
const find = (id) => document.getElementById(id);

/** Take pictures from everywhere; `taken` gets the keys of those that were uploaded. */
export function takePictures(taken) {
  const chooser = find("files"), drop = find("drop");
  const take = async (files) => {
    const pictures = [...files].filter((file) => file.type.startsWith("image/") || file.type === "");
    if (!pictures.length) {
      tell("That is no picture.", { isWrong: true });
      return;
    }
    if (pictures.length > MOST) tell(`The first ${MOST} of ${count(pictures.length, "picture")} are taken.`);
    find("ask").classList.add("waiting");
    say("Sending the picture …");
    const keys = [];
    for (const picture of pictures.slice(0, MOST)) {
      try {
        if (picture.size > MOST_BYTES) throw new Error("The picture has more than 64 MB; that is too large to search with.");
        keys.push((await upload(picture)).query);
      } catch (error) {
        tell(error.message, { isWrong: true });
      }
    }
    find("ask").classList.remove("waiting");
    if (keys.length) taken(keys);
  };
  chooser.addEventListener("change", () => {
    take(chooser.files);
    chooser.value = "";
  });
  addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (!files.length) return;
    event.preventDefault();
    take(files);
  });
  const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
  let depth = 0;
  addEventListener("dragenter", (event) => {
    if (!hasFiles(event)) return;
    depth += 1;
    drop.hidden = false;
  });
  addEventListener("dragleave", () => {
    depth = Math.max(0, depth - 1);
    if (!depth) drop.hidden = true;
  });
  addEventListener("dragover", (event) => { if (hasFiles(event)) event.preventDefault(); });
  addEventListener("drop", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    depth = 0;
    drop.hidden = true;
    take(event.dataTransfer.files);
  });
  return () => chooser.click();
}
