-- The complementary error function for x from 0 on, right to the sixth decimal (Abramowitz and Stegun, 7.1.26).
create or replace macro erfc(x) as exp(-x * x) * (
    0.254829592 * pow(1 + 0.3275911 * x, -1)
    - 0.284496736 * pow(1 + 0.3275911 * x, -2)
    + 1.421413741 * pow(1 + 0.3275911 * x, -3)
    - 1.453152027 * pow(1 + 0.3275911 * x, -4)
    + 1.061405429 * pow(1 + 0.3275911 * x, -5)
)
