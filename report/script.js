// The page is whole without this. It shows what a figure tells in place of the pointer or,
// in a figure that has the focus, of the arrow keys; and reads it out.
'use strict';
const said = document.createElement('div');
said.setAttribute('aria-live', 'polite');
said.style.cssText = 'position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)';
document.body.append(said);
for (const box of document.querySelectorAll('.area-box')) {
  const places = [...box.querySelectorAll('.hit, [data-tip]')];
  const texts = places.map(place => {
    const title = place.querySelector('title');
    const text = title.textContent;
    title.remove(); // or the browser would show it as well
    return text;
  });
  const tip = document.createElement('div');
  tip.className = 'tip';
  tip.hidden = true;
  box.parentNode.append(tip);
  let at = -1;
  const show = to => {
    if (at >= 0) places[at].classList.remove('at');
    at = to;
    tip.hidden = at < 0;
    if (at < 0) return;
    places[at].classList.add('at');
    tip.textContent = texts[at];
    const area = box.getBoundingClientRect(), place = places[at].getBoundingClientRect();
    const left = place.left + place.width / 2 - area.left - tip.offsetWidth / 2;
    const right = document.documentElement.clientWidth - 8 - area.left - tip.offsetWidth;
    tip.style.left = Math.max(-area.left + 8, Math.min(left, right)) + 'px';
    tip.style.top = Math.max(place.top - area.top, 0) - (places[at].classList.contains('hit') ? 0 : tip.offsetHeight + 8) + 'px';
  };
  box.tabIndex = 0;
  box.setAttribute('role', 'application');
  box.setAttribute('aria-roledescription', 'figure');
  box.setAttribute('aria-label', box.getAttribute('aria-label') + ' Arrow keys go through it.');
  box.addEventListener('pointermove', e => show(places.indexOf(e.target.closest('.hit, [data-tip]'))));
  box.addEventListener('pointerleave', () => show(-1));
  box.addEventListener('blur', () => show(-1));
  box.addEventListener('keydown', e => {
    const last = places.length - 1;
    const to = {ArrowRight: Math.min(at + 1, last), ArrowLeft: at < 0 ? last : Math.max(at - 1, 0), Home: 0, End: last, Escape: -1}[e.key];
    if (to === undefined || last < 0) return;
    e.preventDefault();
    show(to);
    said.textContent = to < 0 ? '' : texts[to];
  });
}
