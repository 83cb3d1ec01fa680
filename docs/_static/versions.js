// A menu of the hosted versions, in the sidebar. A site has one folder per version, and beside them versions.json, a list of
// these folders, such as ["0.3.0", "0.2.0"], the newest first. Without that file, as on a disk, there is no menu.
const root = new URL(document.documentElement.dataset.content_root || "./", location.href);
const site = new URL("../", root);
const own = decodeURIComponent(root.pathname.split("/").at(-2));

const open = async (version) => {
  const there = new URL(`${encodeURIComponent(version)}/`, site);
  const same = new URL(location.href.slice(root.href.length), there);
  const found = await fetch(same, {method: "HEAD"}).catch(() => null);
  location.href = found && found.ok ? same : new URL("index.html", there);
};

const show = (versions) => {
  const menu = document.createElement("select");
  menu.id = "versions";
  for (const version of versions.includes(own) ? versions : [own, ...versions]) {
    menu.add(new Option(version, version, false, version === own));
  }
  menu.addEventListener("change", () => open(menu.value));
  const label = document.createElement("label");
  label.className = "versions";
  label.append("Version ", menu);
  document.querySelector(".sidebar-brand")?.after(label);
};

if (location.protocol.startsWith("http")) {
  fetch(new URL("versions.json", site))
    .then((answer) => (answer.ok ? answer.json() : Promise.reject(new Error("no list of versions"))))
    .then(show)
    .catch(() => {});
}
