"""What a gateway is for: to stand between everyone and the services, and to stand its ground."""

from __future__ import annotations

from fixtures.control import control
from fixtures.expect import Expect
from fixtures.profiles.profile import Profile
from fixtures.snapshot.gateway_policies import GatewayPolicies


@control(
    "ACC-09",
    "Every route from outside is authenticated, limited, timed, retried and broken off when its service fails",
    severity="medium",
    reason="What the gateway doesn't do for a route every service must do alone, or the first overload takes it down.",
    remedy="Attach the gateway's policies or plugins to the route; a duty that is done elsewhere, or not wanted, "
    "leave out of the profile's access.gateway_policies.",
    source="S0-33, S4-4, S4-22, S4-24",
)
def test_gateway_policies(gateway_policies: GatewayPolicies, profile: Profile, expect: Expect) -> None:
    """Each Ingress, each HTTPRoute and GRPCRoute of a Gateway, each VirtualService of Istio's gateways, and each route
    of Traefik, Tyk and APISIX in scope: for each of the profile's `access.gateway_policies` there is an annotation, a
    middleware, plugin or policy of its gateway that does it; for circuit breaking the mesh's outlier detection for all
    Services behind it counts too. Whether its numbers are good is not judged. An Ingress whose controller is none of
    ingress-nginx, Traefik, Kong and HAProxy, or not told by its class or annotations, is unknown; so is a route's use
    of configuration that is no Kubernetes object.
    """
    for policed in gateway_policies.all():
        if policed.done is None:
            expect.uncertain(policed.route, "the policies of its ingress controller can't be read")
            continue
        missing = [duty for duty in profile.access.gateway_policies if duty not in policed.done]
        message = f"its gateway does no {', no '.join(missing)}"
        expect(policed.route, not missing, message, path=policed.path, value=sorted(policed.done))
