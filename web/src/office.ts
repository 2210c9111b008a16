// Office pages: htmx for lists that change in place, the live clock, the menu on a phone.

import "htmx.org";
import { clockText } from "./page.ts";

const startedAt = performance.now();
const serverAtStart = Number(document.querySelector<HTMLMetaElement>("meta[name=server-time]")?.content ?? 0) * 1000;

// The page's own time, carried on by the monotonic clock: a wrong computer clock shows nothing wrong.
if (serverAtStart > 0) {
  setInterval(() => {
    const now = serverAtStart + performance.now() - startedAt;
    document.querySelectorAll("[data-clock]").forEach((clock) => {
      clock.textContent = clockText(now);
    });
  }, 500);
}

// The menu of a phone is a place on the page (#menu), so it opens without script; Escape closes it.
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && location.hash === "#menu") {
    location.hash = "#main";
    document.querySelector<HTMLElement>("[data-menu]")?.focus();
  }
});

// A form with faults: the summary is read first (ui.md 10).
document.querySelector<HTMLElement>("[data-summary]")?.focus();

// A choice in a filter row is applied at once; the button stays for those without script.
document.addEventListener("change", (event) => {
  const control = event.target;
  if (control instanceof HTMLSelectElement && control.form?.classList.contains("filters")) {
    control.form.requestSubmit();
  }
});

// A dialog opens by a button that names it and closes by its own.
document.addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-opens]") : null;
  if (!button) return;
  const dialog = document.getElementById(button.dataset["opens"] ?? "");
  if (dialog instanceof HTMLDialogElement) dialog.showModal();
});
