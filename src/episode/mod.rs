//! Samplers, draws (frozen episodes), and dealing a draw into views.
