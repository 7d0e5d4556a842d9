//go:build !soak

package exchange

const (
	spreadHoldings = 100_000
	firstSpread    = 1
)
