"""Link into a site folder all that the distribution installed there needs without its extras, from the Python that runs this.

So the folder is as after `pip install`, and nothing is downloaded.
"""

import sys
from importlib.metadata import distribution, distributions
from pathlib import Path

from packaging.requirements import Requirement

site = Path(sys.argv[1])
(installed,) = distributions(path=[str(site)])
left = [(text, "") for text in installed.requires or ()]
linked = set()
while left:
    text, extra = left.pop()
    needed = Requirement(text)
    if needed.marker and not needed.marker.evaluate({"extra": extra}):
        continue
    found = distribution(needed.name)
    for wanted in ("", *needed.extras):
        if (found.name, wanted) not in linked:
            linked.add((found.name, wanted))
            left += [(text, wanted) for text in found.requires or ()]
    for top in {file.parts[0] for file in found.files or ()} - {"..", "__pycache__"}:
        if not (site / top).exists():
            (site / top).symlink_to(found.locate_file(top))
print(len({name for name, _ in linked}))
