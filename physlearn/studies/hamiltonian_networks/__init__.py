"""The experiments of *Hamiltonian Neural Networks* (Greydanus, Dzamba and Yosinski, 2019), with physlearn's models as well."""
