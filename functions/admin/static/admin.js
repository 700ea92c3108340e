"use strict";

function element(tag, properties, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

// After a refused form the keyboard starts at its errors.
document.querySelector("[data-focus]")?.focus();

// Two lists to look at; the check boxes stay in the form, hidden, and are what is sent.
function twoLists(frame) {
  const boxes = [...frame.querySelectorAll("input")];
  if (!boxes.length) return;
  const what = frame.dataset.selector.toLowerCase();
  const id = frame.parentNode.id;
  const options = boxes.map((box) => {
    const label = box.parentNode.textContent.trim();
    return Object.assign(new Option(label), { box, title: label, words: label.toLowerCase() });
  });

  const filter = element("input", { type: "search", placeholder: "Filter", ariaLabel: "Filter available " + what });
  const status = element("p", { className: "vh", role: "status" });
  const available = element("select", { multiple: true, id: id + "_from" });
  const chosen = element("select", { multiple: true, id: id + "_to" });
  const availableTitle = element("label", { htmlFor: available.id });
  const chosenTitle = element("label", { htmlFor: chosen.id });

  function show(select, shown) {
    const top = select.scrollTop;
    select.replaceChildren(...shown);
    select.scrollTop = top;
  }

  function draw() {
    const words = filter.value.toLowerCase().split(/\s+/);
    const taken = options.filter((option) => option.box.checked);
    const free = options.filter((option) => !option.box.checked);
    const matching = free.filter((option) => words.every((word) => option.words.includes(word)));
    // What the filter hides is not to be chosen unseen when it comes back.
    for (const option of free) option.selected &&= matching.includes(option);
    show(available, matching);
    show(chosen, taken);
    const part = matching.length < free.length ? matching.length + " of " : "";
    availableTitle.textContent = `Available ${what} (${part}${free.length})`;
    chosenTitle.textContent = `Chosen ${what} (${taken.length})`;
    status.textContent = availableTitle.textContent + ", " + chosenTitle.textContent;
  }

  function move(from, moved) {
    const to = from === available ? chosen : available;
    for (const option of to.options) option.selected = false;
    for (const option of moved) option.box.checked = to === chosen;
    draw();
    // So that a mistake is put back at one press.
    for (const option of moved) option.selected = true;
  }

  for (const select of [available, chosen]) {
    select.addEventListener("dblclick", () => move(select, [...select.selectedOptions]));
    select.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      const index = select.selectedIndex;
      move(select, [...select.selectedOptions]);
      // The next one takes the place of what was moved, so that Enter can be pressed again.
      select.selectedIndex = Math.min(index, select.length - 1);
    });
  }
  filter.addEventListener("input", draw);
  filter.addEventListener("keydown", (event) => {
    if (event.key === "Enter") event.preventDefault();
  });

  const button = (text, className, from, which) =>
    element("button", { type: "button", className, onclick: () => move(from, [...from[which]]) }, text);
  const panes = element("div", { className: "panes" },
    element("div", { className: "pane" }, availableTitle, filter, available),
    element("div", { className: "moves" },
      button("Choose", "to", available, "selectedOptions"),
      button("Remove", "fro", chosen, "selectedOptions"),
      button("Choose all", "to", available, "options"),
      button("Remove all", "fro", chosen, "options")),
    element("div", { className: "pane" }, chosenTitle, chosen));
  draw();
  frame.prepend(panes);
  frame.append(status);
  // Going back, a browser may set the boxes after this script has run.
  addEventListener("pageshow", draw);
}

// A box that ticks all rows, and how many are ticked.
function selectRows(form) {
  const boxes = [...form.querySelectorAll("[name=_selected_action]")];
  const count = form.querySelector("[data-selected]");
  const all = element("input", { type: "checkbox", ariaLabel: "Select all on this page" });

  function draw() {
    const ticked = boxes.filter((box) => box.checked).length;
    all.checked = ticked === boxes.length;
    all.indeterminate = ticked > 0 && ticked < boxes.length;
    count.textContent = `${ticked} of ${boxes.length} selected`;
  }

  all.addEventListener("change", () => {
    for (const box of boxes) box.checked = all.checked;
    draw();
  });
  form.addEventListener("change", draw);
  form.querySelector("[data-all]").replaceChildren(all);
  draw();
  addEventListener("pageshow", draw);
}

document.querySelectorAll("[data-selector]").forEach(twoLists);
document.querySelectorAll("[data-rows]").forEach(selectRows);
