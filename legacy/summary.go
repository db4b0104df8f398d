package legacy

import "math"

// A summary has the count, sum, extremes, mean and variance of samples
// (SummaryStatistics of Apache Commons Math). Mean and variance are updated
// with each sample, in the order of the original's operations, so that their
// last digits are the same. The zero summary has no samples.
type summary struct {
	n             int64
	sum, min, max float64
	mean          float64
	m2            float64 // sum of the squared deviations from the mean
}

func (s *summary) add(sample int64) {
	v := float64(sample)
	if s.n == 0 || v < s.min {
		s.min = v
	}
	if s.n == 0 || v > s.max {
		s.max = v
	}
	s.n++
	s.sum += v
	deviation := v - s.mean
	step := deviation / float64(s.n)
	s.mean += step
	// Converted so that no processor fuses the multiplication with the addition.
	s.m2 += float64(float64(s.n-1) * deviation * step)
}

// variance is the sample variance, with the divisor n-1; 0 for one sample.
func (s *summary) variance() float64 {
	if s.n == 1 {
		return 0
	}
	return s.m2 / float64(s.n-1)
}

func (s *summary) deviation() float64 { return math.Sqrt(s.variance()) }
