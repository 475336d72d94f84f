// Package e2e tests the freshet binary from outside, with the clients that
// people use, all unmodified: Debian's headless Chromium, curl, and Python's
// httpx and websockets, and what node/ has from npm. conformance/ runs the
// conformance suite of the Durable Streams protocol. scripts/setup installs
// them.
//
// What is in examples/ is run as it is, and cut, killed and stopped.
//
// The scripts in node, page, python and shell use the clients as an application
// would. They follow streams behind proxies that keep cutting them. Those whose
// names begin with ask call language models, with npm's openai, @anthropic-ai/sdk
// and ai and with openai-go: a fake provider, once straight and once through
// freshet.
package e2e
