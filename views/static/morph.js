// Makes one tree look like another by changing only what differs, so that focus, selection, scroll positions and opened
// details stay. Elements with an id are matched by it, the others by their place and name.

export function morph(current, wanted) {
  const focused = document.activeElement;
  matchChildren(current, wanted);
  if (focused !== document.activeElement && focused?.isConnected) focused.focus({ preventScroll: true });
}

function matchChildren(current, wanted) {
  const ids = new Set([...wanted.children].map((child) => child.id).filter(Boolean));
  for (const child of [...current.children]) if (child.id && !ids.has(child.id)) child.remove();
  const known = new Map([...current.children].filter((child) => child.id).map((child) => [child.id, child]));
  let place = current.firstChild;
  for (const node of [...wanted.childNodes]) {
    const match = node.id ? known.get(node.id) : alike(place, node) ? place : null;
    if (match && match.nodeName === node.nodeName) {
      if (match === place) place = place.nextSibling;
      else current.insertBefore(match, place);
      matchNode(match, node);
    } else {
      current.insertBefore(document.adoptNode(node), place);
    }
  }
  while (place) {
    const next = place.nextSibling;
    place.remove();
    place = next;
  }
}

function alike(place, node) {
  return place && !place.id && place.nodeType === node.nodeType && place.nodeName === node.nodeName;
}

function matchNode(current, wanted) {
  if (current.nodeType !== Node.ELEMENT_NODE) {
    if (current.nodeValue !== wanted.nodeValue) current.nodeValue = wanted.nodeValue;
    return;
  }
  for (const { name } of [...current.attributes]) {
    if (!wanted.hasAttribute(name) && !belongsToReader(current, name)) current.removeAttribute(name);
  }
  for (const { name, value } of wanted.attributes) {
    if (current.getAttribute(name) !== value && !belongsToReader(current, name)) current.setAttribute(name, value);
  }
  matchChildren(current, wanted);
}

function belongsToReader(element, attribute) {
  return element.nodeName === "DETAILS" && attribute === "open";
}
