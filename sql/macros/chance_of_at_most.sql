-- How likely at most k of n articles fall into a part of their time, if nothing but chance places them there. `part` is
-- that part: 28/392 for 28 days and the 364 before them. Of 56 articles 4 are expected in it, and 0 come with a chance
-- of (364/392)^56 = 0.016. `dispersion` is the variance of counts divided by their mean: 1 is binomial, and articles
-- that come in bursts are beta-binomial with more.
create or replace macro chance_of_at_most(k, n, part, dispersion) as least(
    coalesce(
        list_sum(
            list_transform(
                range(0, k + 1),
                lambda i: exp(
                    lgamma(n + 1) - lgamma(i + 1) - lgamma(n - i + 1)
                    + if(
                        dispersion > 1,
                        log_beta(n * part / (dispersion - 1) + i, n * (1 - part) / (dispersion - 1) + n - i)
                        - log_beta(n * part / (dispersion - 1), n * (1 - part) / (dispersion - 1)),
                        i * ln(part) + (n - i) * ln(1 - part)
                    )
                )
            )
        ),
        0
    ),
    1
)
