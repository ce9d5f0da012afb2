// Markdown of cards as HTML: rendered by marked, cleaned by DOMPurify. A card is text of another system for the page.
import DOMPurify from "dompurify";
import { marked } from "marked";

const CLEAN = {
  ALLOWED_TAGS: ["p", "br", "strong", "em", "ul", "ol", "li", "a", "code", "blockquote", "hr", "table", "thead", "tbody", "tr", "th", "td", "del"],
  ALLOWED_ATTR: ["href", "title", "start"],
  ALLOWED_URI_REGEXP: /^https?:/i,
};

DOMPurify.addHook("afterSanitizeAttributes", (node) => {
  if (node.tagName === "A") {
    node.setAttribute("target", "_blank");
    node.setAttribute("rel", "noopener noreferrer");
  }
});

function html(text: string, inline: boolean): string {
  const made = inline ? marked.parseInline(text, { async: false, gfm: true }) : marked.parse(text, { async: false, gfm: true });
  return DOMPurify.sanitize(made as string, CLEAN);
}

export function Markdown({ text, lang }: { text: string; lang?: string }) {
  return <div class="markdown" lang={lang} dangerouslySetInnerHTML={{ __html: html(text, false) }} />;
}

export function InlineMarkdown({ text, lang }: { text: string; lang?: string }) {
  return <span lang={lang} dangerouslySetInnerHTML={{ __html: html(text, true) }} />;
}
