//go:build soak

package exchange

const spreadHoldings = 1_000_000
