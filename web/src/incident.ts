// The clocks of incidents: carried on from the server's time by the monotonic clock, so that a wrong
// computer clock shows nothing wrong. Without script the page shows them as of its loading.

import { ageText, amountText } from "./incident_clock.ts";
import { language } from "./page.ts";

const startedAt = performance.now();
const words = document.querySelector<HTMLElement>("[data-now]");
const serverAtStart = Number(words?.dataset["now"] ?? 0);

function tick(): void {
  const now = serverAtStart + (performance.now() - startedAt);
  document.querySelectorAll<HTMLElement>("[data-found]").forEach((clock) => {
    clock.textContent = ageText(now - Number(clock.dataset["found"]));
  });
  document.querySelectorAll<HTMLElement>("[data-age]").forEach((clock) => {
    clock.textContent = amountText(now - Number(clock.dataset["age"]), language, false);
  });
  document.querySelectorAll<HTMLElement>("[data-due]").forEach((tag) => {
    showDue(tag, now - Number(tag.dataset["due"]));
  });
}

/** Shows how late a step is, or how much is left; at its limit the tag turns to ink. */
function showDue(tag: HTMLElement, late: number): void {
  const text = tag.querySelector("[data-due-text]");
  const template = late > 0 ? words?.dataset["late"] : words?.dataset["left"];
  if (!text || !template) return;
  text.textContent = template.replace("{time}", amountText(Math.abs(late), language, true));
  tag.classList.toggle("tag-late", late > 0);
  tag.classList.toggle("tag-soon", late <= 0);
}

if (serverAtStart > 0) {
  tick();
  setInterval(tick, 1000);
}
