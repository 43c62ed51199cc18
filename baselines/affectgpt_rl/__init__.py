"""AffectGPT-RL: cold start, then GRPO with emotion-wheel rewards.

Rewards (``rewards``, ``reward_config``) need no torch; the policy (``policy``) needs the extra
``train``. Nothing heavy is imported before it is used.
"""
