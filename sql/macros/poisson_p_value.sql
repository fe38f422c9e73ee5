-- How likely two counts of one and the same rate differ at least as much as these: 0.05 is one time in twenty.
-- Square roots of Poisson counts vary equally at every rate (3/8 makes that true of small ones, Anscombe), so
-- their difference has a normal distribution, and erfc is how much of it lies beyond.
create or replace macro poisson_p_value(one, other) as erfc(abs(sqrt(one + 0.375) - sqrt(other + 0.375)))
