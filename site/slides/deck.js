// Lays the cells of a lesson out on slides of 1280 x 720, then starts reveal.js.
//
// A cell's slide type says where a slide begins ("slide", "subslide") and what appears at a click ("fragment"). How much
// fits is measured here, in the reader's own fonts: what does not fit goes on to a further slide below. Paragraphs, code
// and figures stay whole; lists, tables and printed text go on with their next item, row or line.
"use strict";

const WIDTH = 1280;
const HEIGHT = 720;
const BOTTOM = 36; // kept free for the slide's number
const CODE_SIZES = [22, 21, 20, 19, 18, 17, 16]; // px; the largest that fits
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
const isHeading = (block) => block && /^H[1-6]$/.test(block.tagName);

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
  if (fits()) return;

  const parts = [...(holder(block)?.children ?? [])];
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

  block.remove();
  const heading = isHeading(content().lastElementChild) ? content().lastElementChild : null;
  if (isEmpty() || content().firstElementChild === heading) {
    content().append(block); // alone and still too large; the browser tests say so
    return;
  }
  heading?.remove();
  newPage(!heading);
  if (heading) content().append(heading);
  place(block, false);
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
    if (kind === "slide") section = cell.querySelector("h1, h2")?.firstChild.textContent;
    if (kind === "slide" || kind === "subslide" || !page) newPage(kind === "subslide");
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
  await Reveal.initialize({
    width: WIDTH,
    height: HEIGHT,
    margin: 0,
    center: false,
    hash: true,
    slideNumber: "c/t",
    transition: "none",
    pdfSeparateFragments: false,
    plugins: [RevealNotes],
  });
  document.documentElement.dataset.ready = "true";
}

start();
