// Package testnet has tests send frames through interfaces that they make themselves,
// in a network namespace of their own. It is for Linux.
package testnet
