"""Statistics without rounding: whole numbers in, one rounding at the end.

The samples are whole numbers (bytes, nanoseconds, microseconds), so sums of
powers are exact, and so is everything but the last root and division. Every
function takes the unit of the result as a divisor: 10**9 for nanoseconds that
are wanted as seconds.
"""
from decimal import Decimal, localcontext
from fractions import Fraction


def _power_sums(values):
    """n, and n^2 m2, n^3 m3, n^4 m4, of the central moments m_k = sum((x - mean)^k) / n."""
    n = len(values)
    s1 = sum(values)
    # The moments do not depend on where zero is; sums about n*x - s1 are the
    # definition itself, multiplied out: sum((n x - s1)^k) = n^k n m_k.
    c = [n * x - s1 for x in values]
    return n, sum(x**2 for x in c), sum(x**3 for x in c), sum(x**4 for x in c)


def _ratio(num, den):
    """num / den as the nearest float; either may be a Decimal of 60 digits."""
    with localcontext() as ctx:
        ctx.prec = 60
        return float(Decimal(num) / Decimal(den))


def mean(values, unit=1):
    return float(Fraction(sum(values), len(values) * unit)) if values else 0.0


def std(values, unit=1, population=False):
    """The standard deviation, divided by n - 1 (0 for n < 2) or by n."""
    n = len(values)
    if n < 2:
        return 0.0
    _, c2, _, _ = _power_sums(values)  # = n^2 * sum of squared deviations
    divisor = n if population else n - 1
    with localcontext() as ctx:
        ctx.prec = 60
        return float((Decimal(c2) / (Decimal(n) ** 2 * divisor)).sqrt() / unit)


def variance(values, unit=1):
    """The variance divided by n - 1; 0 for n < 2."""
    n = len(values)
    if n < 2:
        return 0.0
    _, c2, _, _ = _power_sums(values)
    return float(Fraction(c2, n * n * (n - 1) * unit * unit))


def skew(values):
    """m3 / m2^1.5 without bias correction; 0 for an empty or constant sample."""
    n, c2, c3, _ = _power_sums(values)
    if c2 == 0:
        return 0.0
    # c_k = n^(k+1) m_k: m3 / m2^1.5 = c3 n^-4 / (c2^1.5 n^-4.5) = c3 sqrt(n) / c2^1.5
    with localcontext() as ctx:
        ctx.prec = 60
        return _ratio(c3 * Decimal(n).sqrt(), Decimal(c2) * Decimal(c2).sqrt())


def kurt(values):
    """m4 / m2^2 - 3 without bias correction; -3 for an empty or constant sample."""
    n, c2, _, c4 = _power_sums(values)
    if c2 == 0:
        return -3.0
    return float(Fraction(c4 * n, c2 * c2) - 3)  # m4 / m2^2 = c4 n^-5 / (c2^2 n^-6)


def quantile(values, p, unit=1):
    """Hyndman and Fan's type 7: linear between order statistics, at (n - 1) p."""
    if not values:
        return 0.0
    v = sorted(values)
    at = (len(v) - 1) * Fraction(p)
    i = int(at)
    low, high = v[i], v[min(i + 1, len(v) - 1)]
    return float((low + (high - low) * (at - i)) / unit)


def decimal(ns):
    """Nanoseconds as seconds, all nine decimals."""
    sign = "-" if ns < 0 else ""
    return f"{sign}{abs(ns) // 10**9}.{abs(ns) % 10**9:09d}"
