"""The pictures of the studies: ``python docs/study_pictures.py`` draws them again from the tables in docs/study."""

from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from physlearn.forecasting.files import write_figure
from physlearn.studies.learned_diversity import attempts_figure, map_evidence, map_figure, mix_evidence, mix_pictures, study

DOCS = Path(__file__).parent


def table(name: str) -> pd.DataFrame:
    """Return the scores of all networks of a figure."""
    return pd.read_parquet(DOCS / "study" / f"{name}.parquet")


def picture(name: str) -> Figure:
    """Return the picture of a figure of the study."""
    studies = study.of_table(table(name))
    if name == "mix":
        return mix_pictures.mix_picture(studies)
    if name == "mix-forecasts":
        return mix_pictures.forecasts_picture(studies)
    return mix_pictures.decisions_picture(mix_evidence.decisions(studies))


if __name__ == "__main__":
    write_figure(DOCS / "images" / "study-attempts.png", attempts_figure.picture(table("attempts")))
    places = pd.concat([table("map-runs"), table("map-fields-runs")])
    write_figure(DOCS / "images" / "diversity-map.png", map_figure.picture(map_evidence.claims(places)))
    for name in ("mix", "mix-again", "mix-parity", "mix-parity-again", "mix-forecasts"):
        write_figure(DOCS / "images" / f"study-{name}.png", picture(name))
        print(name, flush=True)
