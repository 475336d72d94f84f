// Markdown as it comes, in nodes and never in HTML: what an answer says can
// become text, and elements that are named here, and nothing else.

import { lexer } from "../vendor/marked/marked.esm.js";
import { make } from "./dom.js";

/** How long what came may wait for more, in milliseconds, before it is drawn. */
const drawWait = 30;

/** Where links may lead. */
const schemes = ["http:", "https:", "mailto:"];

/** The source of an answer, and the box that shows it. */
export class Markdown {
  #box;
  #source = "";
  // Up to here the source is drawn for good, its lines ended by \n. What follows is drawn anew when more
  // comes, in the nodes after the first #settledNodes.
  #settled = 0;
  #settledNodes = 0;
  #timer;

  constructor(box) {
    this.#box = box;
  }

  get source() {
    return this.#source;
  }

  clear() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#source = "";
    this.#settled = this.#settledNodes = 0;
    this.#box.replaceChildren();
  }

  append(source) {
    this.#source += source;
    this.#timer ??= setTimeout(() => this.#draw(), drawWait);
  }

  /** Draws the whole anew, as it is now known to be. */
  end() {
    this.#settled = this.#settledNodes = 0;
    this.#draw();
  }

  #draw() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const rest = this.#source.replace(/\r\n?/g, "\n").slice(this.#settled);
    const tokens = read(rest);
    const drawn = tokens.map(block);
    const old = [...this.#box.childNodes].slice(this.#settledNodes);
    change(this.#box, old, drawn.flat());
    this.#settle(rest, tokens, drawn);
  }

  /** The last two blocks can still become others; those before them can not. */
  #settle(rest, tokens, drawn) {
    const solid = tokens.flatMap(({ type }, i) => (type === "space" ? [] : [i]));
    const done = solid.at(-2) ?? 0;
    const source = tokens.slice(0, done).map(({ raw }) => raw).join("");
    if (!rest.startsWith(source)) return;
    this.#settled += source.length;
    this.#settledNodes += drawn.slice(0, done).flat().length;
  }
}

/** Returns the blocks of a source. What is nested too deep to be read is text. */
function read(source) {
  try {
    return lexer(source);
  } catch {
    const pieces = source.split(/(?<=\n\n)/);
    return pieces.length > 1 ? pieces.flatMap(read) : [{ type: "html", raw: source, text: source }];
  }
}

const blocks = {
  space: () => [],
  def: () => [],
  hr: () => make("hr"),
  paragraph: ({ tokens }) => make("p", {}, ...inline(tokens)),
  // The page has headings of its own above these.
  heading: ({ depth, tokens }) => make(`h${Math.min(depth + 2, 6)}`, {}, ...inline(tokens)),
  blockquote: ({ tokens }) => make("blockquote", {}, ...tokens.flatMap(block)),
  html: ({ text }) => make("p", { className: "verbatim" }, text),
  text: ({ tokens, text }) => (tokens ? inline(tokens) : [decode(text)]),
  checkbox: ({ checked }) => {
    const box = make("input", { type: "checkbox", disabled: true });
    box.toggleAttribute("checked", checked);
    return box;
  },
  code: ({ lang, text }) => {
    const language = (lang ?? "").split(/\s/, 1)[0];
    return make("pre", { tabIndex: 0, data: language ? { language } : {} }, make("code", {}, text));
  },
  list: ({ ordered, start, items }) => {
    const list = make(ordered ? "ol" : "ul", {}, ...items.map(({ tokens }) => make("li", {}, ...tokens.flatMap(block))));
    if (ordered && start !== 1) list.setAttribute("start", start);
    return list;
  },
  table: ({ header, rows }) => {
    const row = (tag, cells) => make("tr", {}, ...cells.map(({ tokens, align }) =>
      make(tag, align ? { data: { align } } : {}, ...inline(tokens))));
    const table = make("table", {}, make("thead", {}, row("th", header)), make("tbody", {}, ...rows.map((r) => row("td", r))));
    return make("div", { className: "wide", tabIndex: 0 }, table);
  },
};

/** Returns what a block becomes, in a list. */
function block(token) {
  return [blocks[token.type]?.(token) ?? part(token)].flat();
}

const parts = {
  br: () => make("br"),
  strong: ({ tokens }) => make("strong", {}, ...inline(tokens)),
  em: ({ tokens }) => make("em", {}, ...inline(tokens)),
  del: ({ tokens }) => make("del", {}, ...inline(tokens)),
  codespan: ({ text }) => make("code", {}, text),
  escape: ({ text }) => text,
  text: ({ text }) => decode(text),
  html: ({ text }) => (/^<br\s*\/?>$/i.test(text) ? make("br") : text),
  link: ({ href, tokens }) => link(href, inline(tokens)),
  // Nothing is loaded from elsewhere: a picture is a link to where it is.
  image: ({ href, text }) => link(href, [text || href]),
};

function part(token) {
  return parts[token.type]?.(token) ?? token.raw;
}

const inline = (tokens) => tokens.map(part);

/** Returns a link, or mere text if it leads where it should not. */
function link(href, content) {
  const url = URL.parse(href);
  if (!schemes.includes(url?.protocol)) return make("span", {}, ...content);
  return make("a", { href: url.href, title: url.href, rel: "noopener noreferrer", target: "_blank" }, ...content);
}

const entities = { amp: "&", lt: "<", gt: ">", quot: "\"", apos: "'", nbsp: "\u00a0" };

/** Returns text with its entities decoded, as far as they are common. */
function decode(text) {
  return text.replace(/&(?:#(\d{1,7})|#x([\da-f]{1,6})|([a-z]{2,4}));/gi, (entity, decimal, hex, name) => {
    if (name) return entities[name] ?? entity;
    const code = decimal ? Number(decimal) : Number.parseInt(hex, 16);
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : "\ufffd";
  });
}

/** Makes children of a node what they should be, and leaves alone those which are. */
function change(parent, old, wanted) {
  wanted.forEach((node, i) => {
    if (!old[i]) parent.append(node);
    else changeNode(old[i], node);
  });
  for (const node of old.slice(wanted.length)) node.remove();
}

/** Keeps a node, and with it what is selected in it, if only its content has changed. */
function changeNode(old, wanted) {
  if (typeof wanted === "string") wanted = document.createTextNode(wanted);
  if (old.isEqualNode(wanted)) return;
  if (old.nodeType === Node.TEXT_NODE && wanted.nodeType === Node.TEXT_NODE) {
    if (wanted.data.startsWith(old.data)) old.appendData(wanted.data.slice(old.length));
    else old.data = wanted.data;
  } else if (old.nodeType === Node.ELEMENT_NODE && old.cloneNode().isEqualNode(wanted.cloneNode?.())) {
    change(old, [...old.childNodes], [...wanted.childNodes]);
  } else {
    old.replaceWith(wanted);
  }
}
