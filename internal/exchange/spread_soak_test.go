//go:build soak

package exchange

const (
	spreadHoldings = 1_000_000
	firstSpread    = 0 // other communities every time
)
