// What must move on the pages of the watch. Every page works without it.
// @ts-check

import { inline } from "./inline.js";
import { keyboard } from "./keyboard.js";
import { follow } from "./live.js";
import { movable } from "./picture.js";
import { steps } from "./steps.js";
import { copyable, sortable } from "./table.js";

/** What is done to content once it is there, and again where it was brought up to date. */
function dress() {
  movable();
  sortable();
  copyable();
}

dress();
inline(dress);
steps(dress);
keyboard();
follow(dress);
