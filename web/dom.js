// Makes elements and brings a part of the document to a new shape in place, so that focus, scroll and open details stay.

const svgNames = new Set(['svg', 'path', 'polyline', 'circle', 'rect', 'line', 'g', 'title']);

/**
 * An element. `text`-like children become text nodes (never markup); false, null and undefined are left out.
 * @param {string} name tag, optionally with classes: `div.card.wide`
 * @param {Record<string, any>} [attributes] `style` takes an object of CSS properties
 */
export function h(name, attributes = {}, ...children) {
  const [tag, ...classes] = name.split('.');
  const element = svgNames.has(tag)
    ? document.createElementNS('http://www.w3.org/2000/svg', tag)
    : document.createElement(tag);
  if (classes.length > 0) element.setAttribute('class', classes.join(' '));
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (key === 'style')
      for (const [property, text] of Object.entries(value)) element.style.setProperty(property, text);
    else if (key === 'class') element.setAttribute('class', [...classes, value].join(' '));
    else element.setAttribute(key, value === true ? '' : `${value}`);
  }
  element.append(...flat(children));
  return element;
}

function flat(children) {
  return children
    .flat(9)
    .filter((child) => child !== undefined && child !== null && child !== false)
    .map((child) => (child instanceof Node ? child : document.createTextNode(String(child))));
}

/** Makes `parent`'s children equal to these. Children with the same `data-key` stay the same element. */
export function render(parent, ...children) {
  const next = flat(children);
  const keyed = new Map();
  for (const child of parent.children) if (child.dataset.key !== undefined) keyed.set(child.dataset.key, child);
  const kept = new Set();
  let cursor = parent.firstChild;
  for (const node of next) {
    while (cursor && kept.has(cursor)) cursor = cursor.nextSibling;
    const key = node.dataset?.key;
    const match = key === undefined ? (likes(cursor, node) ? cursor : undefined) : keyed.get(key);
    if (match && match.nodeName === node.nodeName) {
      kept.add(match);
      if (match === cursor) cursor = cursor.nextSibling;
      else parent.insertBefore(match, cursor);
      update(match, node);
    } else {
      kept.add(node);
      parent.insertBefore(node, cursor);
    }
  }
  for (const child of Array.from(parent.childNodes)) if (!kept.has(child)) child.remove();
}

function likes(old, node) {
  return old && old.nodeType === node.nodeType && old.nodeName === node.nodeName && old.dataset?.key === undefined;
}

function update(old, node) {
  if (old === node) return;
  if (old.nodeType === Node.TEXT_NODE) {
    if (old.nodeValue !== node.nodeValue) old.nodeValue = node.nodeValue;
    return;
  }
  // What a person types or opens is theirs.
  if (old.hasAttribute('data-keep')) return;
  if (old.isEqualNode(node)) return;
  for (const { name } of Array.from(old.attributes))
    if (!node.hasAttribute(name) && name !== 'open') {
      if (name === 'style') old.style.cssText = '';
      else old.removeAttribute(name);
    }
  for (const { name, value } of node.attributes) {
    if (old.getAttribute(name) === value) continue;
    if (name === 'style') old.style.cssText = node.style.cssText;
    else if (name !== 'open') old.setAttribute(name, value);
  }
  render(old, ...node.childNodes);
}
