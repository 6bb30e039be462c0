// What is to become of the pictures of each group. Nothing here happens to any file.

/** The rules that mark pictures in all groups at once: name, words, and which pictures they mean. */
export const BULK = [
  ["same file", "the same file, byte for byte", (member) => member.verdict === "same file"],
  ["same pixels", "the same pixels, and the same file", (member) => ["same file", "same pixels"].includes(member.verdict)],
  ["smaller", "copies with fewer pixels or bytes than the kept one, nothing added", (member, kept) =>
    ["same file", "same pixels", "recompressed", "resized"].includes(member.verdict)
    && member.image.width * member.image.height <= kept.image.width * kept.image.height && member.image.size_bytes <= kept.image.size_bytes],
  ["all", "every copy", () => true],
];

/** Choices for groups: which picture is kept, and which ones go to the trash. */
export class Choices {
  #groups = new Map();
  #changed = new Set();

  /** Begin with a group as it was proposed: one is kept, nothing goes. */
  add(group) {
    if (this.#groups.has(group.key)) return;
    this.#groups.set(group.key, { group, ...this.#proposed(group) });
  }

  #proposed(group) {
    return { keep: group.images.find((member) => member.is_kept).image.id, trash: new Set() };
  }

  /** Forget a group. */
  remove(key) {
    this.#groups.delete(key);
    this.#changed.delete(key);
  }

  /** Return `keep`, `trash` or `stay`. */
  of(key, id) {
    const { keep, trash } = this.#groups.get(key);
    return id === keep ? "keep" : trash.has(id) ? "trash" : "stay";
  }

  /** Return the picture of a group that is kept. */
  kept(key) {
    const { group, keep } = this.#groups.get(key);
    return group.images.find((member) => member.image.id === keep);
  }

  /** Choose what becomes of a picture; returns whether that may be. */
  set(key, id, action) {
    const choice = this.#groups.get(key), member = choice.group.images.find((one) => one.image.id === id);
    if (action === "trash" && (member.is_protected || !member.image.is_there)) return false;
    if (action === "keep") {
      choice.keep = id;
      choice.trash.delete(id);
    } else if (choice.keep === id) {
      if (action === "trash") return false;
    } else if (action === "trash") choice.trash.add(id);
    else choice.trash.delete(id);
    this.#changed.add(key);
    return true;
  }

  /** Take a group back to what was proposed. */
  reset(key) {
    Object.assign(this.#groups.get(key), this.#proposed(this.#groups.get(key).group));
    this.#changed.delete(key);
  }

  /** Take all of them back. */
  resetAll() {
    for (const key of this.#groups.keys()) this.reset(key);
  }

  /** Mark in every group what a rule means. */
  mark(rule) {
    const [, , fits] = BULK.find(([name]) => name === rule);
    for (const [key, { group }] of this.#groups) {
      const kept = this.kept(key);
      for (const member of group.images) if (member !== kept && fits(member, kept)) this.set(key, member.image.id, "trash");
    }
  }

  /** Return how many pictures go, and how many bytes that frees. */
  totals() {
    let pictures = 0, bytes = 0;
    for (const { group, trash } of this.#groups.values()) {
      for (const member of group.images) {
        if (!trash.has(member.image.id)) continue;
        pictures += 1;
        bytes += member.image.size_bytes;
      }
    }
    return { pictures, bytes };
  }

  /** Return the choices as the API takes them: ids, each with the content that was seen. */
  body() {
    const groups = [];
    for (const [key, { group, keep, trash }] of this.#groups) {
      if (!trash.size) continue;
      const named = (id) => ({ image: id, sha256: group.images.find((member) => member.image.id === id).image.sha256 });
      groups.push({ key, keep: named(keep), trash: [...trash].map(named) });
    }
    return { groups };
  }
}
