// A door's places, counted by hand (field/03 row 7: the cap holds the door); UUIDs by Python's uuid5.

import assert from "node:assert/strict";
import { test } from "node:test";
import { DoorPlaces, type PlacesReply, groupLeases } from "./places.ts";

function reply(request: number, change: Partial<PlacesReply> = {}): PlacesReply {
  return {
    request, session: 1, granted: 0, granted_due: 0, expires_in: 60, standing: 0, inside: 0, cap: 10, state: "open", stay_seconds: 3_600, ended: [], ...change,
  };
}

/** A door that greeted and then borrowed `granted` places at second 0. */
function borrowed(granted: number, change: Partial<PlacesReply> = {}): DoorPlaces {
  const places = new DoorPlaces();
  places.granted(reply(places.ask(0).request, { session: 7 }), 0);
  assert.equal(places.session, 7);
  assert.equal(places.unused(0), 0); // a greeting lends nothing
  const asked = places.ask(0, granted);
  assert.deepEqual([asked.session, asked.want], [7, granted]);
  assert.ok(places.granted(reply(asked.request, { granted, ...change }), 0));
  return places;
}

test("three borrowed places admit three and no fourth", () => {
  const places = borrowed(3);
  assert.deepEqual(["a", "b", "c", "d"].map((lease) => places.take([lease], 1)), [true, true, true, false]);
  assert.equal(places.take(["a"], 1), true); // the same lease again is the same place
  assert.deepEqual(places.ask(2).report, { admitted: ["a", "b", "c"], own: [], left: [], unused: 0, standing: 0, fresh: false });
});

test("a ticket is over when its time is, counted from the question", () => {
  const places = borrowed(3);
  assert.equal(places.unused(59.9), 3);
  assert.equal(places.unused(60), 0);
  const late = new DoorPlaces();
  late.granted(reply(late.ask(0).request), 0);
  const asked = late.ask(10, 2);
  late.granted(reply(asked.request, { granted: 2 }), 69); // the answer took 59 seconds
  assert.deepEqual([late.unused(69.9), late.unused(70)], [2, 0]);
});

test("a standing share comes back with the exit, a ticket does not", () => {
  const places = borrowed(1, { standing: 1 });
  assert.deepEqual(["a", "b", "c"].map((lease) => places.take([lease], 1)), [true, true, false]); // a: ticket, b: share
  places.giveBack("a", 2);
  assert.equal(places.unused(2), 0);
  places.giveBack("b", 2);
  assert.equal(places.unused(2), 1);
  assert.deepEqual(places.ask(3).report.left, ["a", "b"]);
});

test("a group comes in whole or not at all", () => {
  const places = borrowed(2);
  assert.equal(places.take(["a", "b", "c"], 1), false);
  assert.equal(places.unused(1), 2);
  assert.equal(places.take(["a", "b"], 1), true);
});

test("an answer that came too late, or was overtaken, lends nothing", () => {
  const places = borrowed(0);
  const first = places.ask(1, 5);
  const second = places.ask(2, 5);
  assert.equal(places.granted(reply(first.request, { granted: 5 }), 3), false);
  assert.equal(places.unused(3), 0);
  assert.ok(places.granted(reply(second.request, { granted: 5 }), 3));
  assert.equal(places.granted(reply(second.request, { granted: 5 }), 3), false); // twice the same answer
  assert.equal(places.unused(3), 5);
});

test("a report is sent until an answer was taken", () => {
  const places = borrowed(1);
  places.take(["a"], 1);
  places.ask(2); // its answer is lost
  const again = places.ask(3);
  assert.deepEqual(again.report.admitted, ["a"]);
  places.granted(reply(again.request), 3);
  assert.deepEqual(places.ask(4).report.admitted, []);
});

test("closed gives everything back", () => {
  const places = borrowed(3);
  places.take(["a"], 1);
  places.granted(reply(places.ask(2).request, { state: "closed" }), 2);
  assert.equal(places.unused(2), 0);
  assert.deepEqual(places.ask(3).report.left, ["a"]);
});

test("what is kept over a reload has no tickets and goes on with ages", () => {
  const places = borrowed(2, { standing: 1, stay_seconds: 100 });
  ["a", "b", "c"].forEach((lease) => places.take([lease], 10));
  const again = DoorPlaces.restore(JSON.parse(JSON.stringify(places.keep(40))) as ReturnType<DoorPlaces["keep"]>, 1_000);
  assert.equal(again.session, 0); // greets again
  assert.equal(again.unused(1_000), 0); // c is on the share, 30 s old
  assert.equal(again.unused(1_070), 1); // 100 s old: given back
  assert.deepEqual(again.ask(1_070).report.admitted, ["a", "b"]);
});

test("the leases of a group follow from the first as everywhere", async () => {
  assert.deepEqual(await groupLeases("0b0f2a1e-6a5d-4d0e-9a3c-0a6a3b1c2d3e", 3), [
    "0b0f2a1e-6a5d-4d0e-9a3c-0a6a3b1c2d3e", "f107a5cb-d074-5d70-8bf6-18f7808daabc", "46ddf25e-f08b-5917-a787-726f03c25027",
  ]);
});
