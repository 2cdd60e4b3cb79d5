package main

import "imds-analyzer/scripts/testbed"

// result is what the rounds over one file came to.
type result struct {
	File  string `json:"file"`
	Truth truth  `json:"truth"`
	// Rounds has the cost of each reader that took part in a round: of several
	// runs, the medians.
	Rounds []map[string]cost `json:"rounds"`
	// TsharkRequests is how many requests tshark printed in its last round.
	TsharkRequests int `json:"tshark_requests,omitempty"`
}

// measure is one of the figures of a cost.
type measure func(cost) float64

func wall(c cost) float64 { return c.Wall }
func cpu(c cost) float64  { return c.CPU }
func rss(c cost) float64  { return c.RSS }

// of returns the figure of a reader in each round in which it took part.
func (r *result) of(reader string, m measure) (figures []float64) {
	for _, round := range r.Rounds {
		if c, ok := round[reader]; ok {
			figures = append(figures, m(c))
		}
	}
	return figures
}

// ratios returns, of each round in which both took part, the program's figure
// divided by the other reader's.
func (r *result) ratios(other string, m measure) (ratios []float64) {
	for _, round := range r.Rounds {
		if c, ok := round[other]; ok {
			ratios = append(ratios, m(round[program])/m(c))
		}
	}
	return ratios
}

// medianCost is the median of each figure.
func medianCost(costs []cost) cost {
	of := func(m measure) float64 {
		var figures []float64
		for _, c := range costs {
			figures = append(figures, m(c))
		}
		return testbed.Median(figures)
	}
	return cost{Wall: of(wall), CPU: of(cpu), RSS: of(rss)}
}
