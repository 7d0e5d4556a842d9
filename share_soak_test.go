//go:build soak

package entente

const spreadChecks = 1_000_000
