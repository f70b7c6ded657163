// Lays the cells of a lesson out on slides of 1280 x 720, then starts reveal.js.
//
// A cell's slide type says where a slide begins ("slide", "subslide") and what appears at a click ("fragment"). How much
// fits is measured here, in the reader's own fonts: what does not fit goes on to a further slide below. Paragraphs, code
// and figures stay whole; lists, tables and printed text go on with their next item, row or line.
"use strict";

const WIDTH = 1280;
const HEIGHT = 720;
const PHONE = 435; // px; a window at most this wide scrolls
const BOTTOM = 44; // kept free for the slide's number
const CODE_SIZES = [22, 21, 20, 19, 18, 17, 16]; // px; the largest that fits
const FEW = 10; // items, rows or lines: fewer are divided only when a slide of their own is too small
const SPARSE = 0.25; // of a slide: what is less full than this takes the next sub-slide's cell as well
const SMALLEST_FIGURE = 0.9; // of the size it has in the notebook, to share a slide
const SHARED_SIZE = 18; // px; code that would have to be smaller than this to share a slide gets one of its own

const slides = document.querySelector(".slides");
let stack, page, step, section; // slides of one section; the slide being filled; its next click; the section's title

function newStack() {
  stack = document.createElement("section");
  slides.append(stack);
}

function newPage(continued) {
  page = document.createElement("section");
  page.innerHTML = '<div class="content"></div>';
  stack.append(page);
  step = 0;
  if (continued && section) {
    const header = document.createElement("p");
    header.className = "running";
    header.textContent = section;
    content().append(header);
  }
}

const content = () => page.firstElementChild;
const fits = () => content().offsetHeight <= HEIGHT - BOTTOM && content().scrollWidth <= WIDTH;
const isEmpty = () => !content().querySelector(":scope > :not(.running)");
// A heading, or a sentence that leads to what follows, does not stay behind at the end of a slide.
const leads = (block) => /^H[1-6]$/.test(block?.tagName) || (block?.matches("p") && block.textContent.endsWith(":"));

// Each printed line gets an element of its own.
function divideLines(pre) {
  const lines = pre.innerHTML.trimEnd().split("\n");
  pre.innerHTML = lines.map((line) => `<span class="line">${line || "&nbsp;"}</span>`).join("");
}

// The pieces of a cell that may stand on slides of their own, in order.
function blocks(cell) {
  const found = [];
  for (const part of cell.querySelectorAll(".text_cell_render, .input_area, .output_subarea")) {
    if (part.matches(".text_cell_render")) {
      found.push(...part.children);
    } else {
      found.push(part.querySelector("table.dataframe") ?? part);
    }
  }
  return found;
}

// What holds the items, rows or lines that may go on to the next slide; null for what stays whole.
function holder(block) {
  if (block.matches("ul, ol")) return block;
  if (block.matches("table")) return block.tBodies[0];
  return block.matches(".output_text") ? block.querySelector("pre") : null;
}

// An empty copy of a list, table or printed text, that goes on after `done` items.
function continuation(block, done) {
  const copy = block.cloneNode(true);
  holder(copy).replaceChildren();
  if (block.matches("ol")) copy.start = block.start + done;
  return copy;
}

// Code is set as large as its longest line allows, and as the room left on the slide.
function sizeCode(block) {
  const pre = block.querySelector("pre") ?? block;
  const shared = block.previousElementSibling && !block.previousElementSibling.matches(".running");
  pre.style.whiteSpace = "";
  for (const size of CODE_SIZES) {
    block.style.fontSize = `${size}px`;
    if (pre.scrollWidth <= pre.clientWidth && (fits() || (shared && size <= SHARED_SIZE))) return;
  }
  pre.style.whiteSpace = "pre-wrap"; // a line too long even for the smallest size
}

// Puts a block on the current slide or on a new one below it; lists, tables and printed text may be divided.
function place(block, fragment) {
  block.classList.toggle("fragment", fragment);
  if (fragment) block.dataset.fragmentIndex = step;
  content().append(block);
  if (block.matches(".input_area, .highlight, pre")) sizeCode(block);
  if (fits() || shrinkFigure()) return;

  const group = [block]; // with the heading or sentence that leads to it
  while (leads(group[0].previousElementSibling)) group.unshift(group[0].previousElementSibling);
  const before = group[0].previousElementSibling;
  const alone = !before || before.matches(".running");
  const parts = [...(holder(block)?.children ?? [])];
  if (parts.length >= FEW || alone) {
    let kept = parts.length;
    while (kept > 0 && !fits()) parts[--kept].remove();
    if (kept > 0) {
      const rest = continuation(block, kept);
      holder(rest).append(...parts.slice(kept));
      newPage(true);
      place(rest, false);
      return;
    }
    holder(block)?.append(...parts);
  }
  if (alone) return; // too large for any slide; the browser tests say so
  group.forEach((part) => part.remove());
  newPage(!group.some((part) => /^H/.test(part.tagName)));
  for (const part of group) place(part, false);
}

// Makes room on the slide by a smaller figure, if that is enough; says whether it was.
function shrinkFigure() {
  const figure = content().querySelector(".output_png img");
  if (!figure) return false;
  const before = figure.style.width;
  const smallest = SMALLEST_FIGURE * figure.getAttribute("width");
  for (let width = figure.offsetWidth; width >= smallest; width -= 20) {
    figure.style.width = `${width}px`;
    if (fits()) return true;
  }
  figure.style.width = before;
  return false;
}

function layOut(cells) {
  for (const cell of cells) {
    const kind = cell.dataset.slide;
    if (kind === "notes") {
      const notes = document.createElement("aside");
      notes.className = "notes";
      notes.append(...cell.querySelector(".text_cell_render").childNodes);
      page.append(notes);
      continue;
    }
    if (kind === "slide" || !stack) newStack();
    if (kind === "slide") section = cell.querySelector("h1, h2")?.textContent.replace("¶", "");
    const sparse = page && content().offsetHeight < SPARSE * HEIGHT;
    if (kind === "slide" || (kind === "subslide" && !sparse) || !page) newPage(kind === "subslide");
    let before; // the block placed last: code and its result appear one after the other
    for (const block of blocks(cell)) {
      const later = kind === "fragment" && !isEmpty();
      if (later && (!before || (before.matches(".input_area") && !block.matches(".input_area")))) step += 1;
      place(block, later);
      before = block;
    }
  }
}

async function start() {
  const cells = document.getElementById("cells");
  await MathJax.startup.promise;
  await MathJax.typesetPromise([cells]);
  await document.fonts.ready;
  await Promise.all([...cells.querySelectorAll("img")].map((image) => image.decode()));
  cells.querySelectorAll(".output_text pre").forEach(divideLines);
  slides.classList.add("measuring");
  layOut([...cells.children]);
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
    slideNumber: "c/t",
    transition: "none",
    scrollActivationWidth: PHONE, // held upright, the slides stand below each other
    scrollLayout: "compact",
    navigationMode: "linear", // every key that goes on goes to the next slide
    pdfSeparateFragments: false,
    plugins: [RevealNotes],
  });
  document.documentElement.dataset.ready = "true";
}

start();
