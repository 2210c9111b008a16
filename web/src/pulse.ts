// What goes on by itself while a door's page is open: the server's time, what is new, what waits, how many are inside.

import type { TrustedClock } from "./core/clock.ts";
import { Away, Refused, send } from "./gateway.ts";
import type { Knowledge } from "./knowledge.ts";
import { element, make, t } from "./page.ts";
import type { RecordQueue } from "./queue.ts";
import type { Room } from "./room.ts";
import { showAsOf, showNet } from "./strip.ts";

const healthEveryMs = 5_000;
const pollEveryMs = 3_000;
const retryMs = 5_000;
const roomEveryMs = 3_000;

export interface Pulse {
  readonly clock: TrustedClock;
  readonly knowledge: Knowledge;
  readonly queue: RecordQueue;
  readonly room: Room;
  /** Something new is known: an open card may look different. */
  readonly changed: () => void;
}

export async function beginPulse(pulse: Pulse): Promise<void> {
  const { knowledge, queue, room } = pulse;
  showNet(navigator.onLine, knowledge.asOfMs);
  await askHealth(pulse);
  every(healthEveryMs, () => askHealth(pulse));
  every(pollEveryMs, async () => {
    try {
      await knowledge.poll();
    } finally {
      showAsOf(knowledge.asOfMs);
      pulse.changed();
    }
  });
  every(retryMs, () => queue.flush());
  every(roomEveryMs, async () => {
    if (room.due) await room.ask();
    drawRoom(room);
    pulse.changed();
  });
  window.addEventListener("online", () => void queue.flush());
  window.addEventListener("offline", () => showNet(false, knowledge.asOfMs));
}

/** Does something again and again; the next only after the last, and a failure of the network is no end. */
function every(ms: number, act: () => Promise<void>): void {
  void (async () => {
    for (;;) {
      try {
        await act();
      } catch (error) {
        if (!(error instanceof Away || error instanceof Refused)) console.error(error);
      }
      await new Promise((resolve) => setTimeout(resolve, ms));
    }
  })();
}

/** The server's time, and whether it answers at all. */
async function askHealth({ clock, knowledge }: Pulse): Promise<void> {
  try {
    const response = await send("/v1/healthz");
    clock.exchange(((await response.json()) as { now_ms: number }).now_ms);
    knowledge.disciplined();
    showNet(response.ok, knowledge.asOfMs);
  } catch {
    showNet(false, knowledge.asOfMs);
  }
}

/** How many are inside, big; full is a sign and a word. */
export function drawRoom(room: Room): void {
  const box = element("room");
  const view = room.view;
  box.hidden = view === null;
  if (!view) return;
  const said = JSON.stringify(view);
  if (box.dataset["said"] === said) return;
  box.dataset["said"] = said;
  box.classList.toggle("is-full", view.full);
  box.replaceChildren(
    make("span", "", t("checker.room_inside")), " ",
    make("b", "", `${view.inside} / ${view.cap}`), " ",
    make("span", "", view.full ? t("checker.room_full") : t("checker.room_left", { n: view.left })),
  );
}
