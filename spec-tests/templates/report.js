
(() => {
  "use strict";
  const form = document.getElementById("filters");
  const shown = document.getElementById("shown");
  const cards = [...document.querySelectorAll("article")].map((card) => ({
    card, text: card.textContent.toLowerCase(),
  }));
  const choices = ["outcome", "severity", "level", "dialect"];
  const filter = () => {
    const words = form.elements.text.value.toLowerCase().split(/\s+/);
    let count = 0;
    for (const { card, text } of cards) {
      const chosen = choices.every((name) => {
        const value = form.elements[name].value;
        return value === "" || card.dataset[name] === value;
      });
      card.hidden = !(chosen && words.every((word) => text.includes(word)));
      count += card.hidden ? 0 : 1;
    }
    shown.textContent = `${count} of ${cards.length} checks`;
  };
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(filter));
  // A link to a check leads to it whatever is filtered.
  addEventListener("hashchange", () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target && target.hidden) { form.reset(); setTimeout(() => target.scrollIntoView()); }
  });
  form.hidden = false;
  filter();
})();
