import { createContext } from 'react';
import type { ThemeName } from '../../src/client/display.js';

/** The theme in which everything below is drawn. */
export const ThemeContext = createContext<ThemeName>('dark');
