// Keeps the element with `data-live` up to date: fetches the fragment at that address every `data-interval` milliseconds
// while the tab is visible and the reader has not paused it, and says plainly when the server is silent.

import { morph } from "./morph.js";

const PATIENCE = 4000;
const SLOWEST = 5000;

const region = document.querySelector("[data-live]");
const silence = document.getElementById("silence");
const toggle = document.getElementById("live-toggle");
const interval = Number(region.dataset.interval);

let paused = "paused" in region.dataset;
let timer = null;
let asking = null;
let pause = interval;
let answeredAt = new Date();

async function refresh() {
  timer = null;
  const question = (asking = new AbortController());
  const giveUp = setTimeout(() => question.abort(), PATIENCE);
  try {
    const answer = await fetch(region.dataset.live, { signal: question.signal, cache: "no-store", redirect: "error" });
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    const text = await answer.text();
    if (asking === question) show(text);
  } catch {
    if (asking === question) complain();
  } finally {
    clearTimeout(giveUp);
    if (asking === question) {
      asking = null;
      schedule(pause);
    }
  }
}

function show(text) {
  morph(region, new DOMParser().parseFromString(text, "text/html").body);
  answeredAt = new Date();
  pause = interval;
  silence.replaceChildren();
}

function complain() {
  pause = Math.min(pause * 2, SLOWEST);
  if (silence.hasChildNodes()) return;
  const banner = document.createElement("p");
  banner.textContent = `No answer since ${bothZones(answeredAt)}. The figures below are from then; still trying.`;
  silence.replaceChildren(banner);
}

function bothZones(moment) {
  const at = (timeZone) => moment.toLocaleTimeString("en-GB", { timeZone, hour12: false });
  return `${at("UTC")} UTC · ${at("Asia/Kolkata")} IST`;
}

function schedule(delay) {
  if (timer === null && asking === null && !paused && !document.hidden) timer = setTimeout(refresh, delay);
}

function stop() {
  clearTimeout(timer);
  timer = null;
  const question = asking;
  asking = null;
  question?.abort();
}

function applyPause() {
  toggle.textContent = paused ? "Resume updates" : "Pause updates";
  if (paused) stop();
  else schedule(0);
}

toggle.addEventListener("click", () => {
  paused = !paused;
  applyPause();
});
document.addEventListener("visibilitychange", () => (document.hidden ? stop() : schedule(0)));

toggle.hidden = false;
toggle.textContent = paused ? "Resume updates" : "Pause updates";
schedule(interval);
