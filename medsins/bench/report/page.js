"use strict";

// Tables are sorted by a click on a head, or Enter on it: numbers from the highest, names from A.
// What cannot be compared with the rest (data-group 1: partial, 2: absent) stays behind it.

const compareText = new Intl.Collator("en", { numeric: true }).compare;

function keyOf(row, column) {
  const { value, group } = row.cells[column].dataset;
  return { value: value ?? "", group: Number(group ?? 0) };
}

function sortTable(table, head) {
  const column = Number(head.dataset.column);
  const isText = head.classList.contains("text");
  const before = head.getAttribute("aria-sort");
  const first = isText ? "ascending" : "descending";
  const other = isText ? "descending" : "ascending";
  const order = before === first ? other : first;
  const sign = order === "ascending" ? 1 : -1;
  const body = table.tBodies[0];
  const keyed = Array.from(body.rows, (row) => ({ row, key: keyOf(row, column) }));
  keyed.sort((one, two) => {
    if (one.key.group !== two.key.group) return one.key.group - two.key.group;
    const difference = isText
      ? compareText(one.key.value, two.key.value)
      : Number(one.key.value) - Number(two.key.value);
    return sign * difference;
  });
  body.append(...keyed.map(({ row }) => row));
  for (const each of table.querySelectorAll("th[aria-sort]")) each.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", order);
  const name = head.querySelector("button").textContent;
  document.getElementById("spoken").textContent = `Sorted by ${name}, ${order}`;
}

for (const table of document.querySelectorAll("table.sortable")) {
  for (const head of table.querySelectorAll("th[data-column]")) {
    head.querySelector("button").addEventListener("click", () => sortTable(table, head));
  }
}

// A link to a task opens what it is folded into.
function openTarget() {
  const target = document.getElementById(location.hash.slice(1));
  const folded = target?.closest("details");
  if (folded) {
    folded.open = true;
    target.scrollIntoView();
  }
}

addEventListener("hashchange", openTarget);
openTarget();
