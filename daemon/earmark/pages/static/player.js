// Words move the player, and the player marks the word that is heard. Without this, each time is a link to the sound.
"use strict";
(() => {
  const player = document.getElementById("player");
  if (!player) return;
  document.documentElement.classList.add("js");
  const words = [...document.querySelectorAll("#words span[data-at]")];
  const times = words.map((word) => Number(word.dataset.at));
  let now = null;

  const to = (second) => {
    player.currentTime = second;
    player.play().catch(() => {});
  };
  document.addEventListener("click", (event) => {
    const at = event.target.closest("[data-at]");
    if (!at || event.ctrlKey || event.metaKey || event.shiftKey || String(getSelection())) return;
    event.preventDefault();
    to(Number(at.dataset.at));
  });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, button, audio, a")) return;
    if (event.key === " ") player.paused ? player.play().catch(() => {}) : player.pause();
    else if (event.key === "ArrowLeft") player.currentTime = Math.max(0, player.currentTime - 5);
    else if (event.key === "ArrowRight") player.currentTime += 5;
    else return;
    event.preventDefault();
  });
  const from = Number(player.dataset.from);
  if (from) {
    const set = () => { player.currentTime = from; };
    player.readyState ? set() : player.addEventListener("loadedmetadata", set, { once: true });
    const first = document.getElementById("from");
    if (first) first.scrollIntoView({ block: "center" });
  }
  player.addEventListener("timeupdate", () => {
    let low = 0, high = times.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (times[middle] <= player.currentTime + 0.05) low = middle + 1;
      else high = middle;
    }
    const word = words[low - 1] || null;
    if (word === now) return;
    if (now) now.classList.remove("now");
    if (word) word.classList.add("now");
    now = word;
  });
})();
