// Lays the cells of a lesson out on slides of 1280 x 720, then starts reveal.js.
//
// A cell's slide type says where a slide begins ("slide", "subslide") and what appears at a click ("fragment"). What
// kind of thing a block is decides the rest: a prediction has a slide of its own in large type, and what answers it
// comes next; a figure takes two thirds of a slide or its whole width, with its finding under it; code is a few lines
// in large type, the rest at a click; no slide is left with a line or two. How much fits is measured here, in the
// reader's own fonts. What a lesson calls Further follows after the last slide of the core path.
"use strict";

const WIDTH = 1280;
const HEIGHT = 720;
const PHONE = 435; // px; a window at most this wide scrolls
const BOTTOM = 44; // px; kept free for the section's name and the slide's number
const FIGURE_HEIGHT = 480; // px; two thirds of a slide: a figure is at least as high, or
const FIGURE_WIDTH = 1168; // px; as wide as the text
const TITLE_HEIGHT = 300; // px; of the picture on the first slide, at least
const CODE_LINES = 12; // that a slide shows at most
const CODE_SIZES = [24, 23, 22, 21, 20]; // px; the largest that fits
const LARGE_SIZES = [44, 40, 36, 32, 29, 26]; // px; of a prediction, an exercise, a sentence that stands alone
const TEXT_SIZES = [26, 25, 24, 23]; // px; beside code
const LARGER_SIZES = [32, 30, 28, 26]; // px; of a short text under a heading
const PRINT_SIZES = [22, 20, 18, 17, 16]; // px; of what stands in the text letter for letter
const TABLE_SIZES = [26, 24, 22, 21, 20, 19, 18, 17, 16]; // px
const SHORT_CODE = 5; // lines; so few, after other code, are left to the click where there is no room
const FEW = 0.5; // of a slide; text and findings that take less are set in larger type
const SPARSE = 3; // lines; a slide with fewer takes in a neighbour's

const slides = document.querySelector(".slides");

// --- Reading: what the cells hold, as a list of blocks ---------------------------------------------------------------

// Each line of code or printed text gets an element of its own.
function divideLines(pre) {
  const lines = pre.innerHTML.trimEnd().split("\n");
  pre.innerHTML = lines.map((line) => `<span class="line">${line || "&nbsp;"}</span>`).join("");
}

function kindOf(element) {
  const opening = element.matches("p") ? element.querySelector(":scope > strong:first-child")?.textContent : "";
  if (/^H[1-6]$/.test(element.tagName)) return "head";
  if (element.matches(".on-slide-card")) return "card";
  if (element.matches(".input_area")) return "code";
  if (element.matches(".output_png") || (element.matches("p") && isPicture(element))) return "figure";
  if (/^Predict first/.test(opening)) return "prediction";
  if (/^Exercise/.test(opening)) return "exercise";
  return element.closest(".output_subarea") ? "result" : "text";
}

const isPicture = (p) => p.querySelector(":scope > img:only-child") && !p.textContent.trim();

function blocksOf(cell) {
  const found = [];
  const add = (element) => {
    const block = { element, kind: kindOf(element), cell, fresh: !found.length && cell.dataset.slide === "subslide" };
    if (block.kind === "code") prepareCode(block);
    if (block.kind === "exercise") nameExercise(block);
    found.push(block);
  };
  for (const part of cell.querySelectorAll(".text_cell_render, .input_area, .output_subarea")) {
    if (part.matches(".text_cell_render")) [...part.children].forEach(add);
    else add(part.querySelector(".on-slide-card, table.dataframe") ?? part);
  }
  return found;
}

// The lines that a slide shows, and beside them the whole code, for the click.
function prepareCode(block) {
  const pre = block.element.querySelector("pre");
  divideLines(pre);
  block.full = pre.cloneNode(true);
  const lines = [...pre.children];
  block.marked = block.cell.dataset.marked === "true"; // by the author
  const shown = block.cell.dataset.lines.split(",").filter(Boolean).map(Number);
  lines.forEach((line, index) => {
    if (!shown.includes(index + 1)) line.remove();
    else if (block.marked && index > 0 && !shown.includes(index)) line.classList.add("gap");
  });
  block.left = lines.filter((line) => !line.isConnected && line.textContent.trim()).length;
}

// "**Exercise 1.** Write ..." becomes a title and a text.
function nameExercise(block) {
  const name = block.element.querySelector("strong");
  const title = document.createElement("h3");
  title.textContent = name.textContent.replace(/\.$/, "");
  name.remove();
  const body = document.createElement("p");
  body.append(...block.element.childNodes);
  const whole = document.createElement("div");
  whole.append(title, body);
  block.element = whole;
}

// The sections of the core path, and the parts called Further, each {title, blocks, notes}.
function read(cells) {
  const core = [];
  const further = [];
  let section, part, level;
  for (const cell of cells) {
    if (cell.dataset.slide === "notes") {
      const target = part ?? section;
      target.notes.push(...cell.querySelector(".text_cell_render").childNodes);
      continue;
    }
    if (cell.dataset.slide === "slide") {
      section = { title: cell.querySelector("h1, h2")?.textContent.replace("¶", "") ?? "", blocks: [], notes: [] };
      core.push(section);
    }
    for (const block of blocksOf(cell)) {
      if (block.kind === "head") {
        const depth = Number(block.element.tagName[1]);
        const text = block.element.textContent.replace("¶", "");
        if (part && depth <= level) part = undefined;
        if (/^(\d+ · )?Further/.test(text)) {
          part = { title: text, blocks: [], notes: [] };
          level = depth;
          further.push(part);
        }
      }
      (part ?? section).blocks.push(block);
    }
  }
  return [core.filter((each) => each.blocks.length), further];
}

// What stands between a prediction and the figure or finding that answers it is shown before the prediction.
function answerNext(blocks) {
  const evidence = (block) => ["figure", "card", "result"].includes(block.kind);
  for (let i = blocks.length - 1; i >= 0; i--) {
    if (blocks[i].kind !== "prediction") continue;
    let end = i + 1;
    while (end < blocks.length && ["code", "text"].includes(blocks[end].kind)) end++;
    if (end === blocks.length || !evidence(blocks[end])) continue;
    // A sentence between code and finding may be the answer itself.
    if (blocks[end].kind !== "figure") while (end > i + 1 && blocks[end - 1].kind === "text") end--;
    const setUp = blocks.splice(i + 1, end - i - 1);
    if (setUp.length && blocks[i].fresh) [blocks[i].fresh, setUp[0].fresh] = [false, true];
    blocks.splice(i, 0, ...setUp);
  }
}

// --- Slides: a slide is a list of blocks, drawn anew whenever it is tried with others --------------------------------

let stack, pages; // the slides of a section: their element, and each as {blocks, element}

function newPage(blocks = []) {
  const page = { blocks, element: document.createElement("section") };
  page.element.innerHTML = '<div class="content"></div>';
  stack.append(page.element);
  pages.push(page);
  draw(page);
  return page;
}

const has = (page, kind) => page.blocks.some((block) => block.kind === kind);
const kindOfPage = (page) => ["title", "prediction", "exercise", "figure"].find((kind) => has(page, kind)) ?? "plain";
// A heading, or a sentence that leads to what follows, does not stay behind at the end of a slide.
const leads = (block) => block?.kind === "head" || (block?.kind === "text" && block.element.textContent.endsWith(":"));

function draw(page) {
  const content = page.element.firstElementChild;
  const kind = kindOfPage(page);
  page.element.dataset.kind = kind;
  content.replaceChildren();
  content.classList.remove("large", "centred");
  content.classList.toggle("without-strips", Boolean(page.withoutStrips));
  content.style.fontSize = "";
  let cards;
  for (const block of page.blocks) {
    if (block.kind === "card") {
      if (!cards) content.append((cards = Object.assign(document.createElement("div"), { className: "cards" })));
      cards.append(block.element);
      cards.dataset.count = Math.min(cards.children.length, 2);
    } else {
      cards = undefined;
      content.append(block.element);
    }
  }
  addButton(page);
  if (has(page, "code")) {
    largest(TEXT_SIZES, (size) => (content.style.fontSize = `${size}px`), () => sizeCode(page, content));
  }
  setLarge(page, content, kind);
  narrowEquations(content);
  for (const { kind, element } of page.blocks) {
    if (kind !== "text" || !element.matches("pre, .highlight")) continue;
    const pre = element.querySelector("pre") ?? element;
    largest(PRINT_SIZES, (size) => (element.style.fontSize = `${size}px`), () => !isWide(pre));
  }
  for (const { element } of page.blocks.filter(({ element }) => element.matches("table"))) {
    largest(TABLE_SIZES, (size) => (element.style.fontSize = `${size}px`), () => fits(page));
  }
  if (["figure", "title"].includes(kind)) sizeFigure(content);
}

// Predictions and exercises are large; so is the little that stands alone, and larger what stands under a heading.
function setLarge(page, content, kind) {
  const little = kind === "plain" && page.done && content.offsetHeight < FEW * HEIGHT;
  const only = (...kinds) => page.blocks.every((block) => kinds.includes(block.kind));
  let sizes = LARGE_SIZES;
  if (little && only("text")) sizes = LARGE_SIZES.slice(2);
  else if (little && only("text", "card", "head")) sizes = LARGER_SIZES;
  else if (!["prediction", "exercise"].includes(kind)) return;
  content.classList.add("large");
  content.classList.toggle("centred", !has(page, "head"));
  largest(sizes, (size) => content.style.setProperty("--large", `${size}px`), () => fits(page));
}

// The first size that will do, or else the last.
function largest(sizes, set, ok) {
  for (const size of sizes) {
    set(size);
    if (ok()) return;
  }
}

function sizeCode(page, content) {
  const areas = [...content.querySelectorAll(".input_area")];
  const pres = areas.map((area) => area.querySelector("pre"));
  const narrow = () => pres.every((pre) => pre.scrollWidth <= pre.clientWidth);
  areas.forEach((area) => area.classList.remove("wraps"));
  const set = (size) => areas.forEach((area) => (area.style.fontSize = `${size}px`));
  largest(CODE_SIZES, set, () => narrow() && fits(page));
  if (!narrow()) areas.forEach((area) => area.classList.add("wraps"));
  return fits(page);
}

// A figure gets all the room that is left.
function sizeFigure(content) {
  const image = content.querySelector("img");
  if (!image) return;
  image.style.width = "10px";
  image.style.height = "0px";
  const room = HEIGHT - BOTTOM - content.offsetHeight;
  const ratio = image.naturalWidth / image.naturalHeight;
  const height = Math.max(120, Math.min(room, FIGURE_WIDTH / ratio));
  image.style.width = `${Math.floor(height * ratio)}px`;
  image.style.height = `${Math.floor(height)}px`;
}

function addButton(page) {
  page.element.querySelectorAll(".full, .all-code").forEach((old) => old.remove());
  const code = page.blocks.filter((block) => block.full);
  if (!code.some((block) => block.left)) return;
  const full = document.createElement("div");
  full.className = "full";
  full.hidden = true;
  full.append(...code.map((block) => block.full));
  const button = document.createElement("button");
  button.className = "all-code";
  button.textContent = `all ${full.querySelectorAll(".line").length} lines (C)`;
  page.element.append(button, full);
}

const isWide = (element) => element.scrollWidth > element.clientWidth + 1;

// An equation wider than the slide is set smaller.
function narrowEquations(content) {
  for (const equation of content.querySelectorAll('mjx-container[display="true"]')) {
    equation.style.fontSize = "";
    const share = content.clientWidth && FIGURE_WIDTH / equation.querySelector("svg").getBoundingClientRect().width;
    if (share < 1) equation.style.fontSize = `${Math.floor(98 * share)}%`;
  }
}

function fits(page) {
  const content = page.element.firstElementChild;
  const wide = [...content.querySelectorAll("p, li, table")].some(isWide);
  return !wide && content.offsetHeight <= HEIGHT - BOTTOM && content.scrollWidth <= WIDTH;
}

function good(page) {
  draw(page);
  if (!fits(page)) return false;
  if (page.element.querySelectorAll(".content .input_area .line").length > CODE_LINES) return false;
  const image = page.element.querySelector("img");
  if (kindOfPage(page) === "title" && image) return image.offsetHeight >= TITLE_HEIGHT;
  if (kindOfPage(page) !== "figure") return true;
  return image.offsetHeight >= FIGURE_HEIGHT || image.offsetWidth >= FIGURE_WIDTH - 1;
}

// Lines of text, of whatever size; an equation counts as high as it is.
function linesOn(page) {
  const bottoms = [];
  const texts = document.createTreeWalker(page.element.firstElementChild, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const node = texts.currentNode;
    if (!node.data.trim() || node.parentElement.closest("mjx-container")) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    bottoms.push(...[...range.getClientRects()].map((box) => box.bottom));
  }
  bottoms.sort((a, b) => a - b);
  const lines = bottoms.filter((bottom, i) => !i || bottom - bottoms[i - 1] > 8).length;
  const equations = [...page.element.querySelectorAll('mjx-container[display="true"]')];
  return lines + equations.reduce((sum, one) => sum + Math.round(one.offsetHeight / 34), 0);
}

const isSparse = (page) => kindOfPage(page) === "plain" && linesOn(page) < SPARSE;

// The page with other blocks, if that is good; otherwise as it was.
function attempt(page, blocks) {
  const before = page.blocks;
  page.blocks = blocks;
  if (good(page)) return true;
  page.blocks = before;
  draw(page);
  return false;
}

// Whether a block may stand on the slide at all, were there room.
function mayFollow(page, block) {
  if (!page || has(page, "prediction") || has(page, "title")) return false;
  if (block.kind === "prediction") return isSparse(page);
  if (block.kind === "exercise") return isSparse(page);
  if (block.kind === "figure") return isSparse(page) && !has(page, "card");
  if (has(page, "figure")) return !block.fresh && ["text", "card", "result"].includes(block.kind);
  if (block.kind === "head" && block.element.tagName === "H2") return !page.blocks.length;
  if (block.kind === "card" && !has(page, "exercise")) return true; // a finding stands with its experiment,
  if (block.kind === "code" && !has(page, "code") && !has(page, "card")) return true; // code with what introduces it
  return !block.fresh || isSparse(page);
}

function layOut(blocks) {
  const queue = [...blocks];
  while (queue.length) {
    const block = queue.shift();
    const page = pages.at(-1);
    const last = page?.blocks.at(-1);
    const short = block.kind === "code" && block.element.querySelectorAll(".line").length <= SHORT_CODE;
    if (short && !block.marked && last?.full) {
      if (attempt(page, [...page.blocks, block])) continue;
      block.kind = "more code";
      block.element = document.createElement("span");
      block.left = 1;
      if (attempt(page, [...page.blocks, block])) continue;
    }
    if (mayFollow(page, block) && attempt(page, [...page.blocks, block])) {
      if (block.kind === "figure") placeUnder(pages.at(-1), queue);
      continue;
    }
    const taken = page && kindOfPage(page) === "plain" ? takeWith(page, block) : [];
    const next = newPage();
    if (!attempt(next, [...taken, block])) {
      const rest = block.kind === "figure" ? undefined : divide(next, taken, block);
      if (rest) queue.unshift(rest);
      else {
        next.blocks = [...taken, block]; // too large for any slide; the browser tests say so
        draw(next);
      }
    }
    if (block.kind === "figure") placeUnder(next, queue);
  }
  for (let i = 0; i < pages.length; i++) if (isSparse(pages[i])) i += mend(i);
  for (const page of pages) {
    page.done = true;
    draw(page);
  }
}

// What goes with a block to the next slide, taken from the end of this one: headings, and findings of the same cell.
function takeWith(page, block) {
  const belongs = (last) => leads(last) || (block.kind === "card" && last.kind === "card" && last.cell === block.cell);
  let from = page.blocks.length;
  while (from > 0 && belongs(page.blocks[from - 1])) from--;
  if (from === 0 && block.kind === "card") from = page.blocks.length; // a slide full of findings
  const taken = page.blocks.splice(from);
  if (page.blocks.length) draw(page);
  else {
    page.element.remove();
    pages.splice(pages.indexOf(page), 1);
  }
  return taken;
}

// Under a figure: the sentence and the findings that follow it, as far as there is room; at least one finding first.
// The findings do without their strips, where more fits that way.
function placeUnder(page, queue) {
  const other = ({ kind, fresh }) => kind !== "card" && (fresh || !["text", "result"].includes(kind));
  const end = queue.findIndex(other);
  const under = queue.splice(0, end < 0 ? queue.length : end);
  const above = page.blocks;
  const place = (candidates, plain) => {
    page.blocks = above;
    page.withoutStrips = plain;
    draw(page);
    const placed = [];
    let text = true;
    for (const block of candidates) {
      if (block.kind !== "card" && !text) continue;
      if (attempt(page, [...page.blocks, block])) placed.push(block);
      else if (block.kind === "card") break;
      else text = false;
    }
    return placed;
  };
  const card = under.find((block) => block.kind === "card");
  const cardFirst = card && [card, ...under.filter((block) => block !== card)];
  const ways = [[under, false], [under, true], ...(card ? [[cardFirst, false], [cardFirst, true]] : [])];
  const tried = ways.map((way) => [place(...way), way]);
  const enough = tried.filter(([placed]) => !card || placed.includes(card));
  const [, best] = (enough.length ? enough : tried).reduce((one, two) => (two[0].length > one[0].length ? two : one));
  const placed = place(...best);
  queue.unshift(...under.filter((block) => !placed.includes(block)));
}

// Fills a slide with as many items, rows or lines of a block as fit; returns a block with the rest.
function divide(page, taken, block) {
  const holder = holderOf(block.element);
  const parts = [...(holder?.children ?? [])];
  if (parts.length < 2) return undefined;
  for (let kept = parts.length - 1; kept > 0; kept--) {
    parts[kept].remove();
    if (!attempt(page, [...taken, block])) continue;
    const rest = block.element.cloneNode(true);
    holderOf(rest).replaceChildren(...parts.slice(kept));
    if (block.element.matches("ol")) rest.start = block.element.start + kept;
    return { ...block, element: rest, fresh: true };
  }
  holder.append(...parts);
  return undefined;
}

function holderOf(element) {
  if (element.matches("ul, ol")) return element;
  if (element.matches("table")) return element.tBodies[0];
  return element.matches(".output_text") ? element.querySelector("pre") : null;
}

// A slide of a line or two joins a neighbour or borrows from the one before. Returns -1 if the slide is gone.
function mend(index) {
  const page = pages[index];
  const [before, after] = [pages[index - 1], pages[index + 1]];
  const gone = () => {
    page.element.remove();
    pages.splice(index, 1);
    return -1;
  };
  const headed = page.blocks[0].kind === "head";
  const open = before && !headed && !has(before, "prediction");
  if (open && attempt(before, [...before.blocks, ...page.blocks])) return gone();
  if (after && (!headed || after.blocks[0].kind !== "head" || after.blocks[0].element.tagName > "H2")) {
    if (attempt(after, [...page.blocks, ...after.blocks])) return gone();
  }
  if (before && !headed && before.blocks.length > 2) {
    const [borrowed, kept] = [before.blocks.at(-1), before.blocks.slice(0, -1)];
    const enough = !has(before, "figure") || kept.some(({ kind }) => kind === "card");
    if (enough && !["figure", "prediction", "exercise", "head"].includes(borrowed.kind) && !leads(kept.at(-1))) {
      const [mine, theirs] = [page.blocks, before.blocks];
      before.blocks = kept;
      draw(before);
      if (!isSparse(before) && attempt(page, [borrowed, ...mine]) && !isSparse(page)) return 0;
      before.blocks = theirs;
      page.blocks = mine;
      draw(page);
      draw(before);
    }
  }
  return 0;
}

// What appears at a click: all that stands under a figure; elsewhere, what the lesson calls a fragment.
function setClicks(page) {
  let step = -1;
  let cell;
  const kind = kindOfPage(page);
  const figure = page.blocks.findIndex((block) => block.kind === "figure");
  page.blocks.forEach((block, index) => {
    const asked = block.cell.dataset.slide === "fragment" || block.kind === "card";
    let later = kind === "plain" && index > 0 && asked && block.kind !== "code";
    if (kind === "figure") later = index > figure;
    if (leads(page.blocks[index - 1]) && index === 1) later = false;
    if (!later) return;
    if (step < 0 || (kind !== "figure" && block.cell !== cell)) step++;
    cell = block.cell;
    block.element.classList.add("fragment");
    block.element.dataset.fragmentIndex = step;
  });
}

// --- The deck --------------------------------------------------------------------------------------------------------

function newStack(title, notes, work) {
  stack = document.createElement("section");
  pages = [];
  slides.append(stack);
  work();
  for (const page of pages) {
    setClicks(page);
    const footer = document.createElement("p");
    footer.className = "running";
    footer.textContent = kindOfPage(page) === "title" ? "" : title;
    page.element.append(footer);
    if (!notes.length) continue;
    const aside = document.createElement("aside"); // the speaker sees the notes of a section beside each of its slides
    aside.className = "notes";
    aside.append(...notes.map((node) => node.cloneNode(true)));
    page.element.append(aside);
  }
  return stack;
}

// Title, question and picture; then what the lesson is for. The minutes stand in the notes.
function layOutTitle(section) {
  const { blocks, notes } = section;
  const isQuestion = ({ element }) => element.textContent.startsWith("Research question.");
  const front = blocks.filter((block) => block.element.tagName === "H1" || isQuestion(block));
  const picture = blocks.findLast((block) => block.kind === "figure");
  const minutes = blocks.find(({ element }) => element.matches("table"));
  const rest = blocks.filter((block) => ![...front, picture, minutes].includes(block));
  if (minutes) notes.unshift(minutes.element);
  newStack(section.title, notes, () => {
    newPage([...front, ...(picture ? [picture] : [])].map((block) => ({ ...block, kind: "title" })));
    layOut(rest);
  });
}

function layOutFurther(parts) {
  newStack("Further", [], () => {
    const contents = document.createElement("div");
    contents.innerHTML = "<h2>Further</h2><p>Beyond the core path of this lesson, for questions and for reading:</p>";
    const list = document.createElement("ul");
    for (const [i, { title }] of parts.entries()) {
      const link = document.createElement("a");
      link.href = `#/further-${i + 1}`;
      link.textContent = title;
      const item = document.createElement("li");
      item.append(link);
      list.append(item);
    }
    contents.append(list);
    newPage([{ element: contents, kind: "text", cell: contents }]);
  }).classList.add("appendix");
  for (const [i, part] of parts.entries()) {
    answerNext(part.blocks);
    const made = newStack(part.title, part.notes, () => layOut(part.blocks));
    made.classList.add("appendix");
    made.firstElementChild.id = `further-${i + 1}`;
  }
}

// The whole code of a slide, over it: at the button or the key C; Escape closes it.
function showAllCode(slide) {
  const full = slide?.querySelector(".full");
  const dialog = document.getElementById("code");
  if (!full || dialog.open) return;
  dialog.querySelector("div").replaceChildren(...[...full.children].map((pre) => pre.cloneNode(true)));
  document.activeElement?.blur(); // so that keys go to the deck again afterwards, not to the button
  dialog.showModal();
}

function prepareDialog() {
  const dialog = document.getElementById("code");
  dialog.addEventListener("keydown", (event) => event.stopPropagation()); // the deck does not go on behind it
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  for (const button of document.querySelectorAll(".all-code")) {
    button.addEventListener("keydown", (event) => ["Enter", " "].includes(event.key) && event.stopPropagation());
    button.addEventListener("click", () => showAllCode(button.closest("section")));
  }
}

// "7 / 28" on the core path, "A3" beyond it.
function number(slide) {
  if (!slide) return [""]; // asked before there is one
  const beyond = (element) => element.closest(".appendix") !== null;
  const alike = Reveal.getSlides().filter((other) => beyond(other) === beyond(slide));
  const place = alike.indexOf(slide) + 1;
  return beyond(slide) ? [`A${place}`] : [place, "/", alike.length];
}

async function start() {
  const cells = document.getElementById("cells");
  await MathJax.startup.promise;
  await MathJax.typesetPromise([cells]);
  await document.fonts.ready;
  await Promise.all([...cells.querySelectorAll("img")].map((image) => image.decode()));
  cells.querySelectorAll(".output_text pre").forEach(divideLines);
  slides.classList.add("measuring");
  const [[title, ...core], further] = read([...cells.children]);
  layOutTitle(title);
  for (const section of core) {
    answerNext(section.blocks);
    newStack(section.title, section.notes, () => layOut(section.blocks));
  }
  if (further.length) layOutFurther(further);
  slides.classList.remove("measuring");
  cells.remove();
  // Where one scrolls nobody clicks: everything is there at once, and no room is kept for clicks.
  if (window.innerWidth <= PHONE) {
    for (const block of slides.querySelectorAll(".fragment")) block.classList.remove("fragment");
  }
  await Reveal.initialize({
    width: WIDTH,
    height: HEIGHT,
    margin: 0,
    center: false,
    hash: true,
    slideNumber: number,
    transition: "none",
    scrollActivationWidth: PHONE, // held upright, the slides stand below each other
    scrollLayout: "compact",
    navigationMode: "linear", // every key that goes on goes to the next slide
    pdfSeparateFragments: false,
    plugins: [RevealNotes],
  });
  prepareDialog();
  Reveal.addKeyBinding({ keyCode: 67, key: "C", description: "All of the code" }, () =>
    showAllCode(Reveal.getCurrentSlide()),
  );
  document.documentElement.dataset.ready = "true";
}

start();
