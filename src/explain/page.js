// Shows the facts of a kernel beside the pointer, and lights the edges to what it reads and to what reads it.
const hover = document.getElementById("hover");
function show(kernel, x, y) {
  hover.innerHTML = document.getElementById(kernel.dataset.facts).innerHTML;
  hover.hidden = false;
  const left = Math.min(x + 18, innerWidth - hover.offsetWidth - 12);
  const top = Math.min(y + 18, innerHeight - hover.offsetHeight - 12);
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
  kernel.addEventListener("mousemove", event => show(kernel, event.clientX, event.clientY));
  kernel.addEventListener("mouseenter", () => light(kernel, true));
  kernel.addEventListener("focus", () => {
    const box = kernel.getBoundingClientRect();
    show(kernel, box.right, box.top);
    light(kernel, true);
  });
  for (const end of ["mouseleave", "blur"]) {
    kernel.addEventListener(end, () => { hover.hidden = true; light(kernel, false); });
  }
}
