-- The logarithm of the beta function.
create or replace macro log_beta(a, b) as lgamma(a) + lgamma(b) - lgamma(a + b)
