//go:build !soak

package entente

const spreadChecks = 100_000
