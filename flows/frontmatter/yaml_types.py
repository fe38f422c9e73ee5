"""What YAML 1.1 takes a scalar for, by the rules that PyYAML itself applies."""

from typing import Any

from yaml.constructor import SafeConstructor
from yaml.nodes import ScalarNode
from yaml.resolver import Resolver

from flows.frontmatter.types import MAX_TYPED_CHARS, Plain, Value

TAG = "tag:yaml.org,2002:"
_CONSTRUCTOR = SafeConstructor()
CONSTRUCTORS: dict[str, Any] = {
    TAG + kind: SafeConstructor.yaml_constructors[TAG + kind]
    for kind in ("bool", "float", "int", "null", "str", "timestamp")
}
# All that SafeConstructor is known to raise for a text that does not fit.
UNFIT = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


def resolve(text: Plain) -> Value:
    """Give the type that YAML 1.1 sees in a plain scalar; what it cannot hold stays text."""
    if len(text) <= MAX_TYPED_CHARS:
        for tag, pattern in Resolver.yaml_implicit_resolvers.get(text[:1], ()):
            if pattern.match(text):
                try:
                    return construct(tag, str(text))
                except UNFIT:
                    break
    return str(text)


def construct(tag: str, text: str) -> Value:
    """Build the value of a tagged text; raises one of UNFIT when it has none."""
    value: Value = CONSTRUCTORS[tag](_CONSTRUCTOR, ScalarNode(tag, text))
    return value
