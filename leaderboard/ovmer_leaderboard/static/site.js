// Tables that are whole without this script become sortable, and the board's can be filtered.
// The state of a board stands in the address, so that a view can be linked to.
(() => {
  "use strict";

  const table = document.querySelector("table[data-board]");
  const form = document.querySelector("form[data-filters]");

  const numberOf = (text) => (text === "" || text === null ? null : Number(text));

  // Numbers by data-order; what is not known stays last, whichever way one sorts.
  const numbersLast = (direction) => (a, b) => {
    const [x, y] = [numberOf(a), numberOf(b)];
    if (x === null || y === null) return (x === null) - (y === null);
    return direction * (x - y);
  };

  const sortable = (element) => {
    const { order } = window.DataTable.ext.type;
    order["known-asc"] = numbersLast(1);
    order["known-desc"] = numbersLast(-1);
    const heads = [...element.tHead.rows[0].cells];
    return new window.DataTable(element, {
      paging: false,
      info: false,
      autoWidth: false,
      order: [],
      layout: { topStart: null, topEnd: null, bottomStart: null, bottomEnd: null },
      language: { zeroRecords: "No row fits the filters.", emptyTable: "No row." },
      columns: heads.map((head) => {
        const named = head.textContent.trim();
        if (head.hasAttribute("data-plain")) return { orderable: false, searchable: false };
        if (!head.classList.contains("n")) return { type: "string", orderSequence: ["asc", "desc"] };
        const first = named === "Rank" ? ["asc", "desc"] : ["desc", "asc"];
        return { type: "known", orderSequence: first, searchable: false };
      }),
    });
  };

  document.querySelectorAll("table[data-sortable]").forEach(sortable);
  if (!table || !form) return;

  const api = sortable(table);
  const heads = [...table.tHead.rows[0].cells];
  const names = heads.map((head) => head.textContent.trim().toLowerCase());
  const found = form.querySelector("[data-found]");
  const fields = [...form.elements].filter((field) => field.name);
  const total = table.tBodies[0].rows.length;

  const fits = (row) =>
    fields.every((field) => {
      if (field.type === "search") return true;
      if (field.name === "free") return field.checked || row.dataset.role !== "content-free";
      if (!field.value) return true;
      if (field.name !== "train") return row.dataset[field.name] === field.value;
      const trained = JSON.parse(row.dataset.train);
      if (trained === null) return false;
      return field.value === "nothing" ? trained.length === 0 : trained.includes(field.value);
    });
  api.search.fixed("filters", (text, data, index) => fits(api.row(index).node()));

  const address = () => {
    const state = new URLSearchParams();
    for (const field of fields) {
      const value = field.type === "checkbox" ? (field.checked ? "" : "no") : field.value;
      if (value) state.set(field.name, value);
    }
    const [sorted] = api.order();
    if (sorted && sorted[1]) state.set("sort", `${names[sorted[0]]}.${sorted[1]}`);
    return state.toString();
  };

  // Other tables are opened with the same filters.
  const links = [...document.querySelectorAll(".switch a")];
  const keep = () => {
    const state = address();
    const here = window.location.href.split("#")[0];
    window.history.replaceState(null, "", state ? `#${state}` : here);
    for (const link of links) {
      link.href = link.href.split("#")[0] + (state ? `#${state}` : "");
    }
    const shown = api.rows({ search: "applied" }).count();
    found.textContent = shown === total ? `${total} rows` : `${shown} of ${total} rows`;
  };

  const read = () => {
    const state = new URLSearchParams(window.location.hash.slice(1));
    for (const field of fields) {
      const value = state.get(field.name) ?? "";
      if (field.type === "checkbox") field.checked = value !== "no";
      else if (field.type === "search") field.value = value;
      else field.value = [...field.options].some((option) => option.value === value) ? value : "";
    }
    const [name, direction] = (state.get("sort") ?? "").split(/\.(?=(?:asc|desc)$)/);
    const column = names.indexOf(name);
    const known = column >= 0 && direction && !heads[column].hasAttribute("data-plain");
    api.order(known ? [[column, direction]] : []);
    apply();
  };

  const apply = () => {
    api.search(form.elements.q.value).draw();
    keep();
  };

  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", (event) => {
    event.preventDefault();
    window.history.replaceState(null, "", window.location.href.split("#")[0]);
    read();
  });
  api.on("order", () => window.setTimeout(keep));
  // A link to a place on the page is no state of the table.
  const isState = () => window.location.hash.includes("=") || !window.location.hash;
  window.addEventListener("hashchange", () => isState() && read());
  form.hidden = false;
  if (isState()) read();
  else found.textContent = `${total} rows`;
})();
