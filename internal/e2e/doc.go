// Package e2e tests the freshet binary from outside, with the clients that
// people use: Debian's headless Chromium, and eventsource and ws from npm, all
// unmodified. scripts/setup installs them.
package e2e
