"use strict";
(function () {
  function text(row, column) {
    var cell = row.cells[column];
    return cell ? (cell.getAttribute("data-key") || cell.textContent).trim() : "";
  }
  function sortable(table) {
    var heads = table.tHead.rows[0].cells, collator = new Intl.Collator(document.documentElement.lang, {numeric: true});
    Array.prototype.forEach.call(heads, function (head, column) {
      if (head.hasAttribute("data-fixed")) return;
      var button = document.createElement("button");
      button.type = "button";
      while (head.firstChild) button.appendChild(head.firstChild);
      head.appendChild(button);
      button.addEventListener("click", function () {
        var down = head.getAttribute("aria-sort") === "ascending";
        Array.prototype.forEach.call(heads, function (other) { other.removeAttribute("aria-sort"); });
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        var body = table.tBodies[0], rows = Array.prototype.slice.call(body.rows);
        rows.sort(function (a, b) { var order = collator.compare(text(a, column), text(b, column)); return down ? -order : order; });
        rows.forEach(function (row) { body.appendChild(row); });
      });
    });
  }
  function filterable(table) {
    var tools = document.createElement("div"), label = document.createElement("label"), input = document.createElement("input"), shown = document.createElement("output");
    tools.className = "tools";
    label.textContent = table.getAttribute("data-filter");
    input.type = "search";
    label.appendChild(input);
    tools.appendChild(label);
    tools.appendChild(shown);
    table.parentNode.parentNode.insertBefore(tools, table.parentNode);
    input.addEventListener("input", function () {
      var wanted = input.value.toLowerCase().split(/\s+/), count = 0, rows = table.tBodies[0].rows;
      Array.prototype.forEach.call(rows, function (row) {
        var words = row.textContent.toLowerCase();
        row.hidden = !wanted.every(function (word) { return words.indexOf(word) >= 0; });
        if (!row.hidden) count += 1;
      });
      shown.textContent = table.getAttribute("data-shown").replace("#", count).replace("#", rows.length);
    });
  }
  Array.prototype.forEach.call(document.querySelectorAll("table[data-filter]"), function (table) { sortable(table); filterable(table); });
  function reveal() {
    var target = location.hash && document.getElementById(location.hash.slice(1));
    for (var box = target && target.closest("details"); box; box = box.parentElement.closest("details")) box.open = true;
  }
  addEventListener("hashchange", reveal);
  reveal();
  var opened = [];
  addEventListener("beforeprint", function () {
    opened = Array.prototype.filter.call(document.querySelectorAll("details"), function (box) { return !box.open; });
    opened.forEach(function (box) { box.open = true; });
  });
  addEventListener("afterprint", function () { opened.forEach(function (box) { box.open = false; }); });
})();
