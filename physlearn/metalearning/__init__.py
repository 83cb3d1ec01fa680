"""Meta-learning of activation functions: Algorithm 1 of *Neural networks embrace learned diversity*, and its variants."""

from physlearn.metalearning.metalearn import TWO_STAGE, metalearn
from physlearn.metalearning.search_settings import SEARCHES, SearchSettings
from physlearn.metalearning.settings import VARIANTS, MetaLearning, variants

__all__ = ["SEARCHES", "TWO_STAGE", "VARIANTS", "MetaLearning", "SearchSettings", "metalearn", "variants"]
