//go:build soak && !windows

package exchange

import "testing"

// The same as [TestKilledWhileExchanging], a thousand times and more.
func TestKilledForLong(t *testing.T) { killExchange(t, 600) }
