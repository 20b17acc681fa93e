// Shows the facts of a kernel beside it, and lights the edges to what it reads and to what reads it.
const hover = document.getElementById("hover");
function show(kernel) {
  hover.innerHTML = document.getElementById(kernel.dataset.facts).innerHTML;
  hover.hidden = false;
  const box = kernel.getBoundingClientRect();
  const fits = box.right + 14 + hover.offsetWidth < innerWidth;
  const left = fits ? box.right + 14 : box.left - 14 - hover.offsetWidth;
  const top = Math.min(box.top, innerHeight - hover.offsetHeight - 8);
  hover.style.left = Math.max(8, left) + "px";
  hover.style.top = Math.max(8, top) + "px";
}
function light(kernel, on) {
  const drawing = kernel.closest(".drawing");
  drawing.classList.toggle("picked", on);
  for (const edge of drawing.querySelectorAll(".edge")) {
    const joined = edge.dataset.from === kernel.dataset.place || edge.dataset.to === kernel.dataset.place;
    edge.classList.toggle("lit", on && joined);
  }
}
for (const kernel of document.querySelectorAll(".kernel")) {
  for (const start of ["mouseenter", "focus"]) {
    kernel.addEventListener(start, () => { show(kernel); light(kernel, true); });
  }
  for (const end of ["mouseleave", "blur"]) {
    kernel.addEventListener(end, () => { hover.hidden = true; light(kernel, false); });
  }
}
